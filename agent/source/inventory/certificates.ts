// SPDX-License-Identifier: Apache-2.0
/**
 * Certificates that services of this host show, where their settings or custom say that they lie.
 * Input: PEM files. Output: items `path#fingerprint`. Bundles of authorities are passed over; keys are not looked at.
 */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { type Found, item, PAUSE, problem } from './found.ts';
import { globPaths } from './glob-paths.ts';
import { quietly } from './passwd.ts';
import { absence, readText } from './text.ts';
import type { Tree } from './tree.ts';

const FILE_BYTES = 1_048_576;
/** A file with more certificates is a bundle of authorities. */
const CHAIN = 10;
const MAX_FILES = 1_000;

const PLACES = [
  '/etc/ssl/*.pem',
  '/etc/ssl/*.crt',
  '/etc/ssl/private/*.pem',
  '/etc/ssl/private/*.crt',
  '/etc/ssl/certs/ssl-cert-*.pem',
  '/etc/pki/tls/certs/*.crt',
  '/etc/pki/tls/certs/*.pem',
  '/etc/letsencrypt/live/*/cert.pem',
  '/etc/nginx/ssl/*.pem',
  '/etc/nginx/ssl/*.crt',
  '/etc/apache2/ssl/*.crt',
  '/etc/httpd/conf/ssl/*.crt',
  '/etc/haproxy/certs/*.pem',
  '/etc/postfix/*.pem',
  '/etc/dovecot/private/*.pem',
  '/etc/dovecot/*.pem',
  '/etc/postgresql/*/*/*.crt',
  '/var/lib/postgresql/*/*/server.crt',
  '/etc/mysql/*.pem',
];

/** Files of settings, and what in them names a certificate. */
const SETTINGS: readonly (readonly [string, RegExp])[] = [
  ['/etc/nginx/nginx.conf', /^\s*ssl_certificate\s+([^;]+);/gm],
  ['/etc/nginx/conf.d/*.conf', /^\s*ssl_certificate\s+([^;]+);/gm],
  ['/etc/nginx/sites-enabled/*', /^\s*ssl_certificate\s+([^;]+);/gm],
  ['/etc/apache2/sites-enabled/*', /^\s*SSLCertificateFile\s+(\S+)/gim],
  ['/etc/apache2/conf-enabled/*', /^\s*SSLCertificateFile\s+(\S+)/gim],
  ['/etc/httpd/conf.d/*.conf', /^\s*SSLCertificateFile\s+(\S+)/gim],
  ['/etc/httpd/conf/httpd.conf', /^\s*SSLCertificateFile\s+(\S+)/gim],
  ['/etc/postfix/main.cf', /^\s*smtpd_tls_(?:ec|rsa)?cert_file\s*=\s*(\S+)/gm],
  ['/etc/dovecot/dovecot.conf', /^\s*ssl_(?:server_)?cert(?:_file)?\s*=\s*<?\s*(\S+)/gm],
  ['/etc/dovecot/conf.d/*.conf', /^\s*ssl_(?:server_)?cert(?:_file)?\s*=\s*<?\s*(\S+)/gm],
  ['/etc/haproxy/haproxy.cfg', /\bcrt\s+(\S+)/g],
];
const FOLDER_OF: Readonly<Record<string, string>> = { nginx: '/etc/nginx', httpd: '/etc/httpd', apache2: '/etc/apache2' };

export function* certificateItems(tree: Tree): Generator<Found> {
  const files = new Set<string>();
  for (const pattern of PLACES) for (const path of globPaths(tree, pattern)) files.add(path);
  for (const [pattern, setting] of SETTINGS)
    for (const path of globPaths(tree, pattern)) for (const file of namedIn(tree, path, setting)) files.add(file);
  yield PAUSE;
  const seen = new Set<string>();
  for (const path of [...files].slice(0, MAX_FILES)) {
    const where = tree.resolve(path);
    if (where === undefined || seen.has(where)) continue;
    seen.add(where);
    yield* fileItems(tree, path);
  }
  if (files.size > MAX_FILES) yield problem('INVENTORY_TOO_MANY', 'inventory of certificate', `there are more than ${MAX_FILES} files`);
}

const namedIn = (tree: Tree, path: string, setting: RegExp): readonly string[] => {
  const text = quietly(readText(tree, path, undefined, FILE_BYTES)) ?? '';
  const folder = FOLDER_OF[path.split('/')[2] ?? ''] ?? '/etc';
  return [...text.matchAll(setting)].flatMap(([, named]) => {
    const file = named!.trim().replace(/^["'](.*)["']$/, '$1');
    if (file.includes('$')) return [];
    const whole = join('/', file.startsWith('/') ? file : join(folder, file));
    return tree.stat(whole)?.isDirectory() ? globPaths(tree, `${whole}/*`) : [whole];
  });
};

const PEM = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function* fileItems(tree: Tree, path: string): Generator<Found> {
  const read = tree.read(path, FILE_BYTES);
  if (read.kind !== 'bytes') {
    // A bundle is larger than any chain.
    if (read.kind !== 'failed') yield* absence(path, read, { field: 'path', value: path });
    return;
  }
  const pieces = read.bytes.toString('latin1').match(PEM) ?? [];
  if (pieces.length > CHAIN) return;
  for (const piece of pieces) {
    yield PAUSE;
    try {
      yield certificateItem(path, new X509Certificate(piece));
    } catch {
      // The runtime's own words tell nobody more than this.
      yield problem('INVENTORY_ODD', path, 'it holds a certificate that cannot be read');
      yield { kind: 'unseen', unseen: { field: 'path', value: path } };
    }
  }
}

const certificateItem = (path: string, certificate: X509Certificate): Found => {
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return item(`${path}#${fingerprint}`, {
    path,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: (certificate.subjectAltName ?? '')
      .split(', ')
      .filter(Boolean)
      .map((name) => name.replace(/^(DNS|IP Address|email|URI):/, '')),
    not_before_at: Date.parse(certificate.validFrom),
    not_after_at: Date.parse(certificate.validTo),
    key: keyText(certificate),
    signature: certificate.signatureAlgorithm,
    fingerprint,
    self_signed: certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey),
    authority: certificate.ca,
  });
};

const oneLine = (name: string | undefined): string => (name ?? '').split('\n').join(', ');

const keyText = ({ publicKey }: X509Certificate): string => {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  return [publicKey.asymmetricKeyType, modulusLength ?? namedCurve].filter((part) => part !== undefined).join(' ');
};
