// SPDX-License-Identifier: Apache-2.0
/**
 * Verdicts in a person's words, and what states are called.
 * Input: the words of the API. Output: labels of choices, buttons and chips.
 */
export const VERDICTS = [
  { value: 'true-positive', label: 'True positive', act: 'Close as true positive', means: 'It happened, and it matters.' },
  {
    value: 'true-positive-no-impact',
    label: 'True positive, no impact',
    act: 'Close without impact',
    means: 'It happened, and nothing came of it.',
  },
  { value: 'benign', label: 'Benign', act: 'Close as benign', means: 'It happened, and it was meant to.' },
  { value: 'false-positive', label: 'False positive', act: 'Close as false positive', means: 'It did not happen: the rule is wrong here.' },
  { value: 'duplicate', label: 'Duplicate', act: 'Close as duplicate', means: 'Another alert says the same.' },
  { value: 'insufficient-data', label: 'Not enough data', act: 'Close for want of data', means: 'Nobody can tell from what there is.' },
] as const;

export type Verdict = (typeof VERDICTS)[number]['value'];

export const verdictText = (verdict: string): string => VERDICTS.find(({ value }) => value === verdict)?.label ?? verdict;
