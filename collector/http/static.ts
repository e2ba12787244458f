// SPDX-License-Identifier: Apache-2.0
/**
 * The built console, read into memory once, so that no path of a request ever reaches the file system.
 * Input: the folder that the build left. Output: files by exact path with type, hash and gzip; the page itself for every other path.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { sha256 } from '../../core/hash.ts';

export interface SiteFile {
  readonly bytes: Buffer;
  readonly gzip: Buffer | null;
  readonly type: string;
  readonly etag: string;
  /** Its name holds its hash, so it never changes. */
  readonly immutable: boolean;
}

export interface Site {
  /** Reads a build; the old one is served until the new one is whole. */
  load(dir: string): Promise<void>;
  /** The file at exactly this path; the page for paths without an ending; null for files that are not there. */
  find(path: string): SiteFile | null;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

const COMPRESSED: ReadonlySet<string> = new Set(['.html', '.js', '.css', '.svg', '.json']);
const MAX_FILES = 2_000;
const MAX_BYTES = 64 * 1_048_576;

const WAITING = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="2"><title>Vigil</title>
<style>body{font:16px/1.5 system-ui,sans-serif;color:#1c1b19;background:#fbfaf7;margin:15vh auto;max-width:30rem;padding:0 1rem}@media (prefers-color-scheme:dark){body{color:#edebe5;background:#131416}}</style></head>
<body><div id="root"><h1>Vigil</h1><p>The console is being built. This page asks again by itself; the API answers already.</p></div></body>
</html>
`;

const page = (html: string): SiteFile => {
  const bytes = Buffer.from(html);
  return { bytes, gzip: null, type: TYPES['.html'] as string, etag: `"${sha256(bytes).slice(0, 32)}"`, immutable: false };
};

/** A site without a build, which says so. */
export const openSite = (): Site => {
  const waiting = page(WAITING);
  let files: ReadonlyMap<string, SiteFile> = new Map();
  return {
    load: async (dir) => {
      files = await readSite(dir);
    },
    find: (path) => {
      const file = files.get(path);
      if (file !== undefined) return file;
      // The page of an address or a host may end in what looks like a file's name.
      if (path !== '/' && extname(path) !== '' && !/^\/(?:entities|hosts)\/./.test(path)) return null;
      return files.get('/index.html') ?? waiting;
    },
  };
};

const readSite = async (dir: string): Promise<ReadonlyMap<string, SiteFile>> => {
  const found = new Map<string, SiteFile>();
  let total = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    total += bytes.length;
    if (total > MAX_BYTES || found.size >= MAX_FILES) break;
    found.set(file.slice(dir.length).replaceAll('\\', '/').replace(/^\/?/, '/'), {
      bytes,
      gzip: COMPRESSED.has(extname(entry.name)) && bytes.length > 1024 ? await promisify(gzip)(bytes) : null,
      type,
      etag: `"${sha256(bytes).slice(0, 32)}"`,
      immutable: /^\/?assets\//.test(file.slice(dir.length).replaceAll('\\', '/').replace(/^\//, '')),
    });
  }
  return found;
};
