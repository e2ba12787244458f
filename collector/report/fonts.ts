// SPDX-License-Identifier: Apache-2.0
/**
 * The look's fonts as data, so that a report needs no request to look as it is meant.
 * Input: the packages the console is built with. Output: three fonts in base64; null in an installation without them, where the reader's own stand in.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Fonts } from './render/style.ts';

const file = (family: string): Promise<string> =>
  readFile(
    fileURLToPath(new URL(`../../node_modules/@fontsource-variable/${family}/files/${family}-latin-wght-normal.woff2`, import.meta.url)),
    'base64',
  );

export const readFonts = async (): Promise<Fonts | null> => {
  try {
    const [sans, serif, mono] = await Promise.all([file('inter'), file('vollkorn'), file('jetbrains-mono')]);
    return { sans, serif, mono };
  } catch {
    // An installation without the console's packages has none.
    return null;
  }
};
