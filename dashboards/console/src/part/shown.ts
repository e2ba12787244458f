// SPDX-License-Identifier: Apache-2.0
/**
 * Text of others made safe to look at: signs that turn, hide or move what stands beside them are written out.
 * Input: text as it was found. Output: text for the eye; what is copied or searched stays as it was found.
 */

// Controls but tab and newline; marks and overrides of direction; signs without width; line and paragraph separators.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** `evil\u202Etxt` with the override written as `[U+202E]`; C0 controls as their pictures, such as ␛. */
export const shown = (text: string): string =>
  text.replace(UNSEEN, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
  });
