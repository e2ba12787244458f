// SPDX-License-Identifier: Apache-2.0
/**
 * Lines of configuration files, comments aside: that one matches, that none does, that each or the last of some does.
 * Input: files, a pattern. Output: the line that decides, with its place.
 */
import { answer, fail, type Probe, pass, some } from '../answer.ts';
import { filesOf, placeOf, readLines } from '../lines.ts';

export const line: Probe<'line'> = (params, tree) => {
  const files = filesOf(tree, params.file);
  const where = some(params.file, 2);
  const { matches, among } = params;
  if (params.whole === true) {
    const found = files.find((file) => matches.test((tree.read(file) ?? '').trimEnd()));
    const wanted = params.how !== 'none';
    return answer((found !== undefined) === wanted, found ? `${found} has it` : `${where} has it not`, found && !wanted ? [found] : []);
  }
  const lines = readLines(tree, files, { comment: params.comment ?? '#', joined: true });
  const picked = among ? lines.filter(({ text }) => among.test(text)) : lines;
  const absent = files.length === 0 ? `${where} is not there` : `no such line in ${where}`;
  switch (params.how ?? 'some') {
    case 'some': {
      const found = picked.find(({ text }) => matches.test(text));
      return found ? pass(`${found.text.trim()} (${placeOf(found)})`) : fail(absent);
    }
    case 'none': {
      const found = picked.filter(({ text }) => matches.test(text));
      return found.length === 0
        ? pass(absent)
        : fail(
            some(
              found.map((one) => `${one.text.trim()} (${placeOf(one)})`),
              3,
            ),
            [...new Set(found.map(({ file }) => file))],
          );
    }
    case 'each':
    case 'last': {
      const asked = params.how === 'last' ? picked.slice(-1) : picked;
      if (asked.length === 0) return fail(absent);
      const wrong = asked.find(({ text }) => !matches.test(text));
      return wrong
        ? fail(`${wrong.text.trim()} (${placeOf(wrong)})`, [wrong.file])
        : pass(
            some(
              asked.map(({ text }) => text.trim()),
              2,
            ),
          );
    }
  }
};
