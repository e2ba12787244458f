// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../../core/errors.ts';
import { removeDir, tempDir } from '../../../test/support/vigil.ts';
import { withoutDebugInfo } from './elf.ts';
import { emitAgent, emitModule } from './emit.ts';
import { nodeOf, renderScript } from './install.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe('the agent as JavaScript', () => {
  it('has no types, and imports what was emitted', () => {
    expect(
      emitModule("import { type A, b } from './x.ts';\nconst w = new URL('./worker.ts', import.meta.url);\nconst n: number = b;\n"),
    ).toBe("import {         b } from './x.js';\nconst w = new URL('./worker.js', import.meta.url);\nconst n         = b;\n");
  });

  it('holds the entry, the packages it imports with what those need, and no test', () => {
    const paths = emitAgent(ROOT, '1.2.3').map(({ path }) => path);
    for (const needed of [
      'app/agent/main.js',
      'app/core/wire.js',
      'app/node_modules/yaml/package.json',
      'app/node_modules/readdirp/package.json',
    ])
      expect(paths).toContain(needed);
    expect(paths.filter((path) => /\.test\.|\.ts$|node_modules\/(fastify|typebox|vitest)\//.test(path))).toEqual([]);
  });
});

describe('the program without debug information', () => {
  it('runs as before and is smaller', () => {
    const dir = tempDir();
    try {
      const whole = readFileSync(nodeOf(ROOT));
      const cut = withoutDebugInfo(whole);
      expect(cut.length).toBeLessThan(whole.length);
      writeFileSync(join(dir, 'node'), cut);
      chmodSync(join(dir, 'node'), 0o755);
      expect(spawnSync(join(dir, 'node'), ['-p', '1 + 1'], { encoding: 'utf8' }).stdout).toBe('2\n');
    } finally {
      removeDir(dir);
    }
  });

  it('is left alone where it is no such file', () => {
    const text = Buffer.from('#!/bin/sh\necho no program of this kind, but longer than a header of one would be\n');
    expect(withoutDebugInfo(text)).toBe(text);
  });
});

describe('the script for a host', () => {
  const one = { file: '/x/vigil-agent-1.tar.gz', bytes: 1, sha256: 'ab'.repeat(32), version: '1.2.3', machine: 'x86_64' };

  it('carries address, name and hash of the package', () => {
    expect(renderScript("URL='@URL@'\nSHA256='@SHA256@'\nARCHIVE='@ARCHIVE@'", 'https://vigil.example:7443', one)).toBe(
      `URL='https://vigil.example:7443'\nSHA256='${'ab'.repeat(32)}'\nARCHIVE='vigil-agent-1.tar.gz'`,
    );
  });

  it('is not made for an address that a shell would read as more than text', () => {
    expect(() => renderScript("URL='@URL@'", "https://x'$(id)'", one)).toThrow(
      expect.toSatisfy((error: unknown) => isCoded(error, 'PACKAGE_FAILED')),
    );
  });

  it('is one that every shell reads', () => {
    const answer = spawnSync('sh', ['-n', join(ROOT, 'deploy/install/agent.sh')], { encoding: 'utf8' });
    expect([answer.status, answer.stderr]).toEqual([0, '']);
  });
});

describe('the service', () => {
  it('may do nothing but read: as exposed as 2.1 at most', ({ skip }) => {
    const answer = spawnSync('systemd-analyze', ['security', '--offline=yes', join(ROOT, 'deploy/systemd/vigil-agent.service')], {
      encoding: 'utf8',
    });
    skip(answer.error !== undefined, 'there is no systemd-analyze here');
    expect(Number(/exposure level for vigil-agent.service: ([\d.]+)/.exec(answer.stdout)?.[1])).toBeLessThanOrEqual(2.1);
  });
});
