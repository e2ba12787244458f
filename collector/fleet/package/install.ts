// SPDX-License-Identifier: Apache-2.0
/**
 * What a new host fetches: the script that installs the agent and the package it unpacks, and the one line that is pasted there.
 * Input: where hosts reach the agents' listener, the package. Output: files by their path under `/install/`; the line with the script's hash in it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { toError } from '../../../core/errors.ts';
import { fault } from '../../errors.ts';
import type { AgentPackage, PackageParts } from './archive.ts';
import type { FromPackageWorker } from './worker.ts';

export interface InstallFile {
  readonly type: string;
  readonly content: { readonly file: string; readonly bytes: number } | { readonly text: string };
}

export interface Installer {
  /** The file under `/install/`, or null. The base is where this host was asked. @throws CodedError PACKAGE_FAILED. */
  find(name: string): Promise<InstallFile | null>;
  /** The line to paste on a host. @throws CodedError PACKAGE_FAILED. */
  line(token: string): Promise<string>;
}

export interface InstallerParts extends PackageParts {
  /** Base URL by which hosts reach the agents' listener. */
  readonly url: () => string;
}

const SCRIPT = 'agent.sh';

/** The pinned Node of a checkout, else the one that runs. */
export const nodeOf = (root: string): string => {
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
};

/** The script for one package at one place; every value stands in single quotes, in which a shell reads nothing. */
export const renderScript = (template: string, url: string, one: AgentPackage): string => {
  const values: Readonly<Record<string, string>> = {
    URL: url,
    ARCHIVE: basename(one.file),
    SHA256: one.sha256,
    VERSION: one.version,
    MACHINE: one.machine,
  };
  return template.replace(/'@([A-Z0-9]+)@'/g, (_, name: string) => {
    const value = values[name] ?? '';
    if (/['\n\\]/.test(value))
      throw fault('PACKAGE_FAILED', { reason: `the address ${JSON.stringify(value)} cannot stand in a shell script` });
    return `'${value}'`;
  });
};

export const openInstaller = (parts: InstallerParts): Installer => {
  let made: Promise<AgentPackage> | null = null;
  // Made when it is first asked for: most collectors are asked once, and it costs some seconds.
  const packageOf = (): Promise<AgentPackage> => {
    made ??= makeInWorker(parts).catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  const template = (): string => readFileSync(join(parts.root, 'deploy', 'install', SCRIPT), 'utf8');
  const script = async (): Promise<string> => renderScript(template(), parts.url(), await packageOf());
  return {
    find: async (name) => {
      if (name === SCRIPT) return { type: 'text/x-shellscript; charset=utf-8', content: { text: await script() } };
      const one = await packageOf();
      return name === basename(one.file) ? { type: 'application/gzip', content: { file: one.file, bytes: one.bytes } } : null;
    },
    line: async (token) => {
      const hash = createHash('sha256')
        .update(await script())
        .digest('hex');
      const from = `${parts.url()}/install/${SCRIPT}`;
      // In a shell of its own, whose exit status is the script's; the script goes whatever comes.
      return `( f=$(mktemp) && trap 'rm -f "$f"' EXIT && { curl -fsSko "$f" ${from} || wget -qO "$f" --no-check-certificate ${from}; } && echo "${hash}  $f" | sha256sum -c - >/dev/null && echo ${token} | sh "$f" )`;
    },
  };
};

const makeInWorker = ({ root, dir, version, node }: PackageParts): Promise<AgentPackage> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { root, dir, version, node } satisfies PackageParts });
    worker.once('message', (message: FromPackageWorker) =>
      'package' in message ? resolve(message.package) : reject(fault('PACKAGE_FAILED', { reason: message.reason })),
    );
    worker.once('error', (error) => reject(fault('PACKAGE_FAILED', { reason: toError(error).message }, error)));
    worker.once('exit', () => reject(fault('PACKAGE_FAILED', { reason: 'the worker ended' })));
  });
