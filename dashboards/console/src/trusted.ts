// SPDX-License-Identifier: Apache-2.0
/**
 * The one Trusted Types policy: style texts pass, anything that holds a tag is refused, scripts and their addresses always.
 * Input: what a library would set as markup. Output: the text, where it can hold no element. Imported before anything renders.
 */

interface TrustedTypes {
  readonly createPolicy: (name: string, rules: { readonly createHTML: (text: string) => string | null }) => unknown;
}

// Browsers without Trusted Types enforce the rest of the policy.
(globalThis as { readonly trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('default', {
  createHTML: (text) => (/<[a-z!/?]/i.test(text) ? null : text),
});
