// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's package: emitted JavaScript and the Node that runs it in one archive, the same bytes for the same sources.
 * Input: the folder of the project, a folder to keep archives in. Output: a tar.gz named by its hash.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { TAR_END_BYTES, tarHead, tarPadding } from '../../backup/tar.ts';
import { fault } from '../../errors.ts';
import { withoutDebugInfo } from './elf.ts';
import { emitAgent, type PackageFile } from './emit.ts';

export interface AgentPackage {
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the archive, hexadecimal. */
  readonly sha256: string;
  readonly version: string;
  /** As `uname -m` says it. */
  readonly machine: string;
}

export interface PackageParts {
  /** The project's folder. */
  readonly root: string;
  /** Where archives are kept. */
  readonly dir: string;
  readonly version: string;
  /** The Node that goes along. */
  readonly node: string;
}

const packed = promisify(gzip);
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** Found by every shell; the same flags as in a checkout (bin/launch.js). */
const LAUNCHER = `#!/bin/sh
# Starts the agent with the Node that came with it.
here=$(dirname "$(dirname "$(readlink -f "$0")")")
MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
export MALLOC_ARENA_MAX MALLOC_TRIM_THRESHOLD_
# A bare system has no libatomic: the one function that Node wants of it came along.
grep -qs libatomic.so.1 /etc/ld.so.cache || export LD_LIBRARY_PATH="$here/lib"
exec "$here/bin/node" --disable-sigusr1 --disable-proto=throw --external-memory-accounted-in-global-limit --max-semi-space-size=2 --no-opt --no-maglev --expose-gc "$here/app/agent/main.js" "$@"
`;

/** Everything that goes into the archive, in its order. */
export const packageFiles = ({ root, version, node }: PackageParts): readonly PackageFile[] => [
  { path: 'bin/node', bytes: withoutDebugInfo(readFileSync(node)), executable: true },
  { path: 'lib/libatomic.so.1', bytes: readFileSync(join(root, 'bin', 'libatomic', `linux-${process.arch}`, 'libatomic.so.1')) },
  { path: 'bin/vigil-agent', bytes: Buffer.from(LAUNCHER), executable: true },
  ...emitAgent(root, version),
];

const tarOf = (files: readonly PackageFile[]): Buffer =>
  Buffer.concat([
    ...files.flatMap(({ path, bytes, executable }) => [
      tarHead({ path, bytes: bytes.length, atSeconds: 0, mode: executable ? 0o755 : 0o644 }),
      bytes,
      tarPadding(bytes.length),
    ]),
    Buffer.alloc(TAR_END_BYTES),
  ]);

/**
 * Makes the archive, or finds the one that was made from the same files.
 * @throws CodedError PACKAGE_FAILED.
 */
export const makePackage = async (parts: PackageParts): Promise<AgentPackage> => {
  const machine = MACHINES[process.arch];
  if (process.platform !== 'linux' || machine === undefined)
    throw fault('PACKAGE_FAILED', { reason: `there is no Node for agents on ${process.platform}-${process.arch}` });
  const files = packageFiles(parts);
  const print = createHash('sha256');
  for (const { path, bytes } of files) print.update(`${path}\0${bytes.length}\0`).update(bytes);
  const key = print.digest('hex').slice(0, 16);
  mkdirSync(parts.dir, { recursive: true, mode: 0o700 });
  const file = join(parts.dir, `vigil-agent-${parts.version}-${machine}-${key}.tar.gz`);
  if (!existsSync(file)) {
    const bytes = await packed(tarOf(files), { level: 9, memLevel: 9 });
    writeFileSync(`${file}.new`, bytes, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    for (const old of readdirSync(parts.dir))
      if (old.startsWith('vigil-agent-') && join(parts.dir, old) !== file) rmSync(join(parts.dir, old));
  }
  const bytes = readFileSync(file);
  return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), version: parts.version, machine };
};
