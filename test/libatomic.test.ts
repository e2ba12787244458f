// SPDX-License-Identifier: Apache-2.0
/** The one function of libatomic that comes along: the pinned Node runs on it, and it does what its name says for every size. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/repository.ts';
import { removeDir, tempDir } from './support/vigil.ts';

const OWN = join(ROOT, 'bin/libatomic', `${process.platform}-${process.arch}`);
const NODE = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin/node');
const ROUNDS = 20_000;

/** Threads count up two shared numbers by exchange alone, and the program says which libatomic it has. */
const CONTEND = `
const { Worker, isMainThread, workerData } = require('node:worker_threads');
if (isMainThread) {
  const shared = new SharedArrayBuffer(16);
  let left = 3;
  for (let i = 0; i < 3; i++) new Worker(__filename, { workerData: shared }).on('exit', () => {
    if (--left > 0) return;
    const maps = require('node:fs').readFileSync('/proc/self/maps', 'latin1');
    console.log(JSON.stringify([new Int32Array(shared)[0], Number(new BigInt64Array(shared)[1]), maps.match(/\\S*libatomic\\S*/)[0]]));
  });
} else {
  const [small, large] = [new Int32Array(workerData), new BigInt64Array(workerData)];
  const up = (of, at, one) => { for (;;) { const old = Atomics.load(of, at); if (Atomics.compareExchange(of, at, old, old + one) === old) return; } };
  for (let i = 0; i < ${ROUNDS}; i++) { up(small, 0, 1); up(large, 1, 1n); }
}`;

/** Each size, aligned and not, once with what stands there and once with something else. */
const SIZES = `
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
bool exchange(size_t, void *, void *, void *, int, int) __asm__("__atomic_compare_exchange");
int main(void) {
  _Alignas(16) unsigned char object[64], expected[32], desired[32];
  for (size_t size = 1; size <= 24; size++)
    for (size_t off = 0; off < 8; off++) {
      memset(object, 1, 64), memset(expected, 1, 32), memset(desired, 2, 32);
      if (!exchange(size, object + off, expected, desired, 5, 5)) return printf("%zu at %zu: not exchanged\\n", size, off);
      for (size_t i = 0; i < 64; i++)
        if (object[i] != (i >= off && i < off + size ? 2 : 1)) return printf("%zu at %zu: byte %zu is %d\\n", size, off, i, object[i]);
      if (exchange(size, object + off, expected, desired, 5, 5)) return printf("%zu at %zu: exchanged\\n", size, off);
      if (memcmp(expected, object + off, size) != 0 || (size < 32 && expected[size] != 1)) return printf("%zu at %zu: what stood there is not told\\n", size, off);
    }
  return puts("right") < 0;
}`;

describe.runIf(process.platform === 'linux')('the function of libatomic that comes along', () => {
  it('is what the pinned Node runs on where the system has none', ({ skip }) => {
    skip(!existsSync(NODE), 'the pinned Node is not installed here');
    const dir = tempDir();
    try {
      writeFileSync(join(dir, 'contend.cjs'), CONTEND);
      const ran = spawnSync(NODE, [join(dir, 'contend.cjs')], { encoding: 'utf8', env: { LD_LIBRARY_PATH: OWN } });
      expect(ran.status, ran.stderr).toBe(0);
      expect(JSON.parse(ran.stdout)).toEqual([3 * ROUNDS, 3 * ROUNDS, join(OWN, 'libatomic.so.1')]);
    } finally {
      removeDir(dir);
    }
  });

  it('exchanges what is expected and tells what else stood there, for every size and place', ({ skip }) => {
    skip(spawnSync('cc', ['--version']).status !== 0, 'there is no compiler here');
    const dir = tempDir();
    try {
      writeFileSync(join(dir, 'sizes.c'), SIZES);
      const built = spawnSync('cc', ['-fno-builtin', '-w', '-o', 'sizes', 'sizes.c', join(OWN, 'libatomic.so.1')], {
        cwd: dir,
        encoding: 'utf8',
      });
      expect(built.status, built.stderr).toBe(0);
      expect(spawnSync(join(dir, 'sizes'), { cwd: dir, encoding: 'utf8', env: { LD_LIBRARY_PATH: OWN } }).stdout).toBe('right\n');
    } finally {
      removeDir(dir);
    }
  });

  it.each(['x64', 'arm64'])('wants no other library and no stack that runs, for %s', (arch) => {
    const file = readFileSync(join(ROOT, 'bin/libatomic', `linux-${arch}`, 'libatomic.so.1'));
    const [headers, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(56)];
    const segments = Array.from({ length: count }, (_, i) => headers + i * 56).map((at) => ({
      type: file.readUInt32LE(at),
      flags: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 8)),
      size: Number(file.readBigUInt64LE(at + 32)),
    }));
    // PT_DYNAMIC is 2, whose DT_NEEDED is 1; PT_GNU_STACK is 0x6474e551, whose right to run is 1.
    const dynamic = segments.find(({ type }) => type === 2)!;
    const tags = Array.from({ length: dynamic.size / 16 }, (_, i) => Number(file.readBigInt64LE(dynamic.offset + i * 16)));
    expect(tags).not.toContain(1);
    expect(segments.find(({ type }) => type === 0x6474e551)!.flags & 1).toBe(0);
  });
});
