// SPDX-License-Identifier: Apache-2.0
/**
 * What sshd does where its configuration says nothing, by version, as its manual page tells.
 * Input: a key in small letters, the version that is installed. Output: the built-in value; undefined where it is not known.
 */

/** Built-in values of current versions. */
const DEFAULTS: Readonly<Record<string, string>> = {
  addressfamily: 'any',
  allowagentforwarding: 'yes',
  allowstreamlocalforwarding: 'yes',
  allowtcpforwarding: 'yes',
  banner: 'none',
  clientalivecountmax: '3',
  clientaliveinterval: '0',
  compression: 'delayed',
  disableforwarding: 'no',
  exposeauthinfo: 'no',
  gatewayports: 'no',
  gssapiauthentication: 'no',
  hostbasedauthentication: 'no',
  ignorerhosts: 'yes',
  ignoreuserknownhosts: 'no',
  kbdinteractiveauthentication: 'yes',
  kerberosauthentication: 'no',
  logingracetime: '120',
  loglevel: 'INFO',
  maxauthtries: '6',
  maxsessions: '10',
  maxstartups: '10:30:100',
  passwordauthentication: 'yes',
  permitemptypasswords: 'no',
  permitrootlogin: 'prohibit-password',
  permittunnel: 'no',
  permituserenvironment: 'no',
  permituserrc: 'yes',
  port: '22',
  printlastlog: 'yes',
  printmotd: 'yes',
  protocol: '2',
  pubkeyauthentication: 'yes',
  rekeylimit: 'default none',
  strictmodes: 'yes',
  tcpkeepalive: 'yes',
  usedns: 'no',
  usepam: 'no',
  x11forwarding: 'no',
  x11uselocalhost: 'yes',
  ciphers: 'chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr',
  macs: 'umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1',
  kexalgorithms:
    'sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256',
};

/** What was so before a version. */
const BEFORE: readonly (readonly [version: number, key: string, value: string])[] = [
  [7.0, 'permitrootlogin', 'yes'],
  [6.8, 'usedns', 'yes'],
  [
    6.7,
    'ciphers',
    'aes128-ctr,aes192-ctr,aes256-ctr,arcfour256,arcfour128,aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-cbc,3des-cbc,blowfish-cbc,cast128-cbc,aes192-cbc,aes256-cbc,arcfour',
  ],
];

/** The built-in value of a key; of an unknown version the current one. */
export const serverDefault = (key: string, version: string | undefined): string | undefined => {
  const number = version === undefined ? Number.NaN : Number(/^(?:\d+:)?(\d+\.\d+)/.exec(version)?.[1]);
  return BEFORE.find(([before, name]) => name === key && number < before)?.[2] ?? DEFAULTS[key];
};
