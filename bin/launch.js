// SPDX-License-Identifier: Apache-2.0
/**
 * Finds a Node that runs TypeScript as it is: this one, or the pinned one beside the other packages.
 * Input: the entry's path inside the checkout. Output: the entry runs here, or in its own process whose exit status is passed on.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FLAGS = ['--disable-sigusr1', '--disable-proto=throw'];
/** Space for young objects, in MB: what a program creates lives short, and a small space keeps its memory small. */
const YOUNG = { agent: 2, collector: 8 };

/** Node 26 is pinned; 24.12 and later strip types without a flag, and have what the store needs. */
const suits = ([major, minor]) => major > 24 || (major === 24 && minor >= 12);
const versionOf = (text) => text.replace(/^v/, '').split('.').map(Number);

const pinned = () => {
  const path = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(path) ? path : null;
};

/**
 * Where the pinned Node finds the one function of libatomic that it wants, on a system that has no libatomic: bare ones have none.
 * A system that has one is left to it, since programs that are started from here may want more of it.
 */
const libraries = () => {
  const own = join(ROOT, 'bin', 'libatomic', `${process.platform}-${process.arch}`);
  if (process.platform !== 'linux' || !existsSync(own) || systemHas('libatomic.so.1')) return {};
  const before = process.env['LD_LIBRARY_PATH'];
  return { LD_LIBRARY_PATH: before ? `${own}${delimiter}${before}` : own };
};

const systemHas = (library) => {
  try {
    return readFileSync('/etc/ld.so.cache').includes(library);
  } catch {
    return false;
  }
};

const refuse = (sentence, hint) => {
  process.stderr.write(`vigil: RUNTIME_MISSING: ${sentence}\n  ${hint}\n`);
  process.exit(2);
};

/** Runs an entry; `--script FILE` as first argument runs that file of the checkout instead. */
export const launch = async (entry) => {
  let args = process.argv.slice(2);
  if (args[0] === '--script' && args[1]) {
    entry = args[1];
    args = args.slice(2);
  }
  const runs = suits(versionOf(process.version));
  const flags = [
    ...FLAGS,
    '--external-memory-accounted-in-global-limit',
    `--import=${pathToFileURL(join(ROOT, 'bin', 'types.js')).href}`,
    `--max-semi-space-size=${entry.startsWith('agent/') ? YOUNG.agent : YOUNG.collector}`,
    // An agent reads more than it computes: the optimizing compilers cost it more memory than they save time. It gives back what its work left behind (agent/memory.ts).
    ...(entry.startsWith('agent/') ? ['--no-opt', '--no-maglev', '--expose-gc'] : []),
  ];
  if (runs && FLAGS.every((flag) => process.execArgv.includes(flag))) {
    nodeModule.enableCompileCache?.(process.env['VIGIL_COMPILE_CACHE'] || join(ROOT, 'node_modules', '.cache', 'vigil-compile'));
    process.argv = [process.argv[0], join(ROOT, entry), ...args];
    await import(pathToFileURL(join(ROOT, entry)).href);
    return;
  }
  const node = runs ? process.execPath : pinned();
  if (!node) {
    refuse(
      `Node ${process.versions.node} cannot run Vigil, and the pinned Node is not installed for ${process.platform}-${process.arch}.`,
      'Run `npm ci` with Node 20.19 or later on Linux (glibc) or macOS, or install Node 26.',
    );
    return;
  }
  if (!existsSync(join(ROOT, 'node_modules', 'yaml'))) refuse('The packages are not installed.', 'Run `npm ci` first.');
  const argv = [...flags, join(ROOT, 'bin', entry.startsWith('agent/') ? 'vigil-agent.js' : 'vigil.js'), '--script', entry, ...args];
  // glibc gives each thread an arena of its own, and keeps what it freed: two are enough for what is not V8's, one for an agent.
  // Short-lived threads of the agent's scans leave pieces behind, which go back to the system when they are 128 kB. The collector's large
  // buffers do so at once: without a fixed bound glibc would raise it with the first that is freed, and keep those that follow.
  const agent = entry.startsWith('agent/');
  const kept = agent
    ? { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' }
    : { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '524288' };
  const env = { ...kept, ...process.env, ...(runs ? {} : libraries()) };
  // The same process goes on as the right Node where the runtime can do that, so that no idle parent stays behind.
  if (typeof process.execve === 'function') process.execve(node, [node, ...argv], env);
  const child = spawn(node, argv, { stdio: 'inherit', env });
  // Ctrl-C reaches the whole group by itself; a signal sent to this process alone is passed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  child.on('error', (error) =>
    refuse(`The pinned Node does not start here: ${error.message}.`, 'Install Node 26 for this system and run the command with it.'),
  );
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
};
