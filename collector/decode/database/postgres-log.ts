// SPDX-License-Identifier: Apache-2.0
/**
 * PostgreSQL's structured logs: csvlog and jsonlog, with the same fields under their own names.
 * Input: one line. Output: user, database, address, severity, code and message, each from its own place; nothing where the line is neither.
 */
import { parseObject } from '../json.ts';

export interface PostgresRow {
  readonly stamp: string;
  readonly user: string;
  readonly database: string;
  readonly pid: string;
  readonly host: string;
  readonly port: string;
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

const COLUMNS_READ = 14;

/** The first columns of a CSV line; a quote inside a quoted column is doubled. */
const columnsOf = (text: string): readonly string[] => {
  const columns: string[] = [];
  let at = 0;
  while (columns.length < COLUMNS_READ && at <= text.length) {
    if (text.charCodeAt(at) !== 34) {
      const end = text.indexOf(',', at);
      columns.push(text.slice(at, end < 0 ? text.length : end));
      if (end < 0) break;
      at = end + 1;
      continue;
    }
    let value = '';
    at++;
    for (;;) {
      const end = text.indexOf('"', at);
      value += text.slice(at, end < 0 ? text.length : end);
      if (end < 0) {
        at = text.length + 1;
        break;
      }
      at = end + 1;
      if (text.charCodeAt(at) !== 34) {
        at++;
        break;
      }
      value += '"';
      at++;
    }
    columns.push(value);
  }
  return columns;
};

const CSV = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S{1,32},(?:"|,)/;

/** `203.0.113.7:5555`, `[local]`, `2001:db8::1:5555`. */
const splitPeer = (peer: string): readonly [string, string] => {
  const colon = peer.lastIndexOf(':');
  return colon < 0 ? [peer, ''] : [peer.slice(0, colon), peer.slice(colon + 1)];
};

const csvRow = (text: string): PostgresRow | null => {
  if (!CSV.test(text.slice(0, 80))) return null;
  const [stamp = '', user = '', database = '', pid = '', peer = '', , , , , , , severity = '', code = '', message = ''] = columnsOf(text);
  if (!/^[A-Z]{3,8}[1-5]?$/.test(severity) || !/^[0-9A-Z]{5}$/.test(code)) return null;
  const [host, port] = splitPeer(peer);
  return { stamp, user, database, pid, host, port, severity, code, message };
};

const jsonRow = (text: string): PostgresRow | null => {
  if (text.charCodeAt(0) !== 123 || !text.slice(0, 1_024).includes('"error_severity"')) return null;
  const root = parseObject(text);
  if (root === null) return null;
  const of = (key: string): string => {
    const value = root[key];
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
  };
  if (of('error_severity') === '' || of('timestamp') === '') return null;
  return {
    stamp: of('timestamp'),
    user: of('user'),
    database: of('dbname'),
    pid: of('pid'),
    host: of('remote_host'),
    port: of('remote_port'),
    severity: of('error_severity'),
    code: of('state_code'),
    message: of('message'),
  };
};

/** True for a line of either form. Cheap. */
export const isPostgresRow = (text: string): boolean =>
  CSV.test(text.slice(0, 80)) || (text.startsWith('{"timestamp":"') && text.slice(0, 1_024).includes('"error_severity":"'));

/** A row of csvlog or jsonlog. */
export const postgresRow = (text: string): PostgresRow | null => csvRow(text) ?? jsonRow(text);
