// SPDX-License-Identifier: Apache-2.0
/**
 * Types are taken out of a file once and not by every process and thread: what does that is 4 MB of text and 3 MB of WebAssembly in each.
 * Input: files of the checkout as Node loads them. Output: the same without types, every position kept; kept under node_modules/.cache by content.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const KEPT = process.env['VIGIL_TYPES_CACHE'] || join(ROOT, 'node_modules', '.cache', 'vigil-types');

/** Node says once a process that this may change: nothing that a person who starts Vigil can act on. */
const strip = (source) => {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
};

const withoutTypes = (file) => {
  const source = readFileSync(file, 'utf8');
  const kept = join(KEPT, `${createHash('sha256').update(`${process.version}\0${source}`).digest('hex')}.js`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    // Not there yet.
  }
  const plain = strip(source);
  try {
    mkdirSync(KEPT, { recursive: true });
    // Others may write the same at once: each a whole file.
    const part = `${kept}.${process.pid}.${threadId}`;
    writeFileSync(part, plain);
    renameSync(part, kept);
  } catch {
    // A folder that cannot be written, or a full disk: the next start does the work again.
  }
  return plain;
};

registerHooks({
  load: (url, context, next) => {
    if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
    return { format: 'module', source: withoutTypes(fileURLToPath(url)), shortCircuit: true };
  },
});
