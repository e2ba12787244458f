// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const HERE = import.meta.dirname;

/** In a process of its own: of the memory of this one others take their share. */
const run = (script: string): { readonly out: string; readonly err: string } => {
  const types = join(HERE, '..', 'bin', 'types.js');
  const argv = ['--expose-gc', `--import=${types}`, '--input-type=module', '-e', script];
  // Where Vigil starts programs of its own it fixes the bound; without one glibc would give a large piece back by itself.
  const { stdout, stderr } = spawnSync(process.execPath, argv, {
    encoding: 'utf8',
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '524288' },
  });
  return { out: stdout, err: stderr };
};

const script = `
import { readFileSync } from 'node:fs';
import { trimHeap } from ${JSON.stringify(join(HERE, 'heap.ts'))};
const rssKb = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const kept = [];
(() => {
  const freed = [];
  for (let i = 0; i < 4000; i++) {
    freed.push(Buffer.allocUnsafeSlow(20_000).fill(1));
    if (i % 100 === 0) kept.push(Buffer.allocUnsafeSlow(9_000).fill(1));
  }
})();
await new Promise((resolve) => setTimeout(resolve, 10));
globalThis.gc();
globalThis.gc();
// What collects buffers does so beside the program.
const full = rssKb();
let done = false;
for (let i = 0; i < 200 && full - rssKb() < 40_000; i++) {
  done = trimHeap() || done;
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log(JSON.stringify({ done, full, after: rssKb(), kept: kept.length }));
`;

/** The module came with Node 26. Asking for it would warn here. */
const able = process.platform === 'linux' && Number(process.versions.node.split('.')[0]) >= 26;

test.skipIf(!able)('freed memory between pieces that are in use goes back to the system', () => {
  const { out, err } = run(script);
  const { done, full, after } = JSON.parse(out) as { readonly done: boolean; readonly full: number; readonly after: number };
  expect(done).toBe(true);
  expect(full - after).toBeGreaterThan(40_000);
  expect(err, 'it warns of nothing').toBe('');
});

test('where the runtime cannot do it, it says so and does no harm', () => {
  const { out } = run(`
    process.getBuiltinModule = () => undefined;
    const { trimHeap } = await import(${JSON.stringify(join(HERE, 'heap.ts'))});
    console.log(trimHeap(), trimHeap());`);
  expect(out.trim()).toBe('false false');
});

test('where the runtime wants to be asked otherwise, it does without', () => {
  const { out } = run(`
    const functions = { malloc_trim: () => { throw new TypeError('Invalid argument count'); } };
    process.getBuiltinModule = () => ({ dlopen: () => ({ functions }) });
    const { trimHeap } = await import(${JSON.stringify(join(HERE, 'heap.ts'))});
    console.log(trimHeap(), trimHeap());`);
  expect(out.trim()).toBe('false false');
});
