// SPDX-License-Identifier: Apache-2.0
/**
 * URLs as attackers write them: percent-encoding is undone before matching, beside the text as it stands.
 * Input: url.* values and request lines. Output: the forms a rule may match, at most three.
 */

const MAX_LENGTH = 65_536;

const decodeOnce = (text: string): string => {
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    const utf8 = bytes.toString('utf8');
    // Bytes that are no UTF-8 stay one character each, so that nothing disappears.
    return utf8.includes('\ufffd') ? bytes.toString('latin1') : utf8;
  });
};

/** The text without percent-encoding and with `+` as space, undone once more where something is left. Null where nothing changes. */
export const decodedUrl = (text: string): string | null => {
  if ((!text.includes('%') && !text.includes('+')) || text.length > MAX_LENGTH) return null;
  const once = decodeOnce(text.replaceAll('+', ' '));
  return /%[0-9a-fA-F]{2}/.test(once) ? `${decodeOnce(once)}` : once;
};

/** The value itself, or a list of it and its decoded forms, of which one is enough. */
export const urlForms = (text: string): string | readonly string[] => {
  const decoded = decodedUrl(text);
  return decoded === null || decoded === text ? text : [text, decoded];
};
