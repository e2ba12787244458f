// SPDX-License-Identifier: Apache-2.0
/**
 * Seeded events of a mixed log (web 45 %, applications 25, sshd 15, firewall 8, cron 5, audit 2) in the shape decode gives them.
 * Input: a seed, numbers, a span of time. Output: events; exactly one in 100,000 holds the word `needle<k>`. Synthetic, and figures from it say so.
 */
import { ENVELOPE } from '../../collector/decode/shape.ts';
import type { Event, EventDraft } from '../../collector/model/event.ts';
import { type AgentId, type AssetId, hashId } from '../../core/ids.ts';
import { unixMs } from '../../core/units.ts';

const WORDS =
  'ledger harbour meadow invoice report planner orchid granite billing atlas payroll survey copper velvet sundial quarry lantern tundra saffron juniper walnut zephyr beacon cobalt falcon maple'.split(
    ' ',
  );
const PATHS = [
  '/',
  '/login',
  '/api/v1/orders/#',
  '/api/v1/users/#',
  '/static/app.%.js',
  '/static/site.%.css',
  '/search?q=@',
  '/health',
  '/cart/#/items',
];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36',
  'curl/8.14.1',
  'kube-probe/1.33',
];
const APP = [
  'order # accepted for customer # in & ms',
  'cache miss for key @:%',
  'retrying request % to @-service, attempt &',
  'job @-# finished in & ms with status ok',
  'connection to database @ lost: timeout after & ms',
  'user session % expired after # s',
  'configuration @.yaml reloaded, & keys changed',
];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HOSTS = 100;
const INCARNATION = '00112233445566778899aabbccddeeff';

interface Stream {
  readonly host: string;
  readonly hostId: AssetId;
  readonly agent: AgentId;
  readonly name: string;
  readonly dataset: string;
  readonly epoch: string;
  readonly idPrefix: string;
  seq: number;
}

export interface LogEvents {
  /** The next `count` events; each 500 share a block, hence an offset and a time of ingest. */
  next(count: number): Event[];
  /** Offset of the journal behind the last event. */
  offset(): number;
}

/** Events spread evenly from `from` to `to` (ms); the same arguments give the same events. */
export const logEvents = (seed: number, total: number, from: number, to: number): LogEvents => {
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const hex = (digits: number): string => {
    let text = '';
    while (text.length < digits) text += below(0x10000).toString(16).padStart(4, '0');
    return text.slice(0, digits);
  };
  const fill = (template: string): string =>
    template.replace(/[#%@&]/g, (mark) =>
      mark === '#' ? String(below(9_999_999)) : mark === '%' ? hex(8) : mark === '@' ? pick(WORDS) : String(below(900)),
    );
  const users = Array.from({ length: 2000 }, () => pick(WORDS).slice(0, 3) + below(1000).toString(36));
  const ips = Array.from({ length: 20_000 }, () => `198.${18 + below(2)}.${below(256)}.${1 + below(254)}`);
  const ip = (): string => ips[Math.floor(random() ** 2 * ips.length)] as string;
  const streams = new Map<string, Stream>();
  const streamOf = (n: number, name: string, dataset: string): Stream => {
    const key = `${n} ${name}`;
    let stream = streams.get(key);
    if (stream === undefined) {
      const agent = hashId('agt', n);
      const epoch = hex(32);
      const idPrefix = `${hashId('evt', agent, name, epoch)}_`;
      stream = { host: `${WORDS[n % WORDS.length]}-${n}`, hostId: hashId('ast', n), agent, name, dataset, epoch, idPrefix, seq: 0 };
      streams.set(key, stream);
    }
    return stream;
  };

  let n = 0;
  let offset = 0;
  const needleAt = below(100_000);

  const frame = (stream: Stream, time: number, original: string): EventDraft => ({
    ...ENVELOPE,
    '@timestamp': unixMs(time),
    'event.id': stream.idPrefix + (++stream.seq).toString(36),
    'event.kind': 'event',
    'event.created': unixMs(time + 400),
    'event.ingested': unixMs(Math.floor(time / 1000) * 1000 + 1500),
    'event.original': original,
    'host.id': stream.hostId,
    'host.name': stream.host,
    'log.file.path': stream.name.slice(5),
    'vigil.agent.id': stream.agent,
    'vigil.stream': stream.name,
    'vigil.dataset': stream.dataset,
    'vigil.epoch': stream.epoch,
    'vigil.seq': stream.seq,
    'vigil.journal.collector': 'collector-1',
    'vigil.journal.incarnation': INCARNATION,
    'vigil.journal.offset': offset,
    'vigil.journal.generation': 1,
    'vigil.decode': 'ok',
  });
  const syslog = (time: number, program: string, pid: number | undefined, message: string): EventDraft => {
    const stream = streamOf(below(HOSTS), 'file:/var/log/syslog', 'syslog');
    const at = new Date(time);
    const stamp = `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)} ${at.toISOString().slice(11, 19)}`;
    const event = frame(stream, time, `${stamp} ${stream.host} ${program}${pid === undefined ? '' : `[${pid}]`}: ${message}`);
    event.message = message;
    event['log.syslog.hostname'] = stream.host;
    event['process.name'] = program;
    event['process.pid'] = pid;
    event['event.dataset'] = program;
    event['vigil.time.quality'] = 'year-inferred';
    return event;
  };
  const access = (time: number): EventDraft => {
    const address = ip();
    const [method, path, status, size, agent] = [
      random() < 0.9 ? 'GET' : 'POST',
      fill(pick(PATHS)),
      pick([200, 200, 200, 304, 404, 500]),
      below(90_000),
      pick(AGENTS),
    ];
    const at = new Date(time);
    const stamp = `${at.getUTCDate()}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
    const original = `${address} - - [${stamp}] "${method} ${path} HTTP/1.1" ${status} ${size} "-" "${agent}"`;
    const event = frame(streamOf(below(HOSTS), 'file:/var/log/nginx/access.log', 'access'), time, original);
    return Object.assign(event, {
      message: `${method} ${path}`,
      'event.dataset': 'nginx.access',
      'event.category': ['web'],
      'event.type': ['access'],
      'event.outcome': status < 400 ? 'success' : 'failure',
      'source.ip': address,
      'source.address': address,
      'related.ip': [address],
      'http.request.method': method,
      'http.response.status_code': status,
      'http.response.body.bytes': size,
      'http.version': '1.1',
      'url.original': path,
      'url.path': path.split('?')[0],
      'user_agent.original': agent,
    });
  };
  const sshd = (time: number): EventDraft => {
    const failed = random() < 0.25;
    const [user, address, port] = [pick(users), failed ? (ips[below(300)] as string) : ip(), 1024 + below(64_000)];
    const message = failed
      ? `Failed password for invalid user ${user} from ${address} port ${port} ssh2`
      : `Accepted publickey for ${user} from ${address} port ${port} ssh2: ED25519 SHA256:${hex(40)}`;
    return Object.assign(syslog(time, 'sshd', 300 + below(60_000), message), {
      'event.category': ['authentication'],
      'event.type': ['start'],
      'event.action': 'ssh-login',
      'event.outcome': failed ? 'failure' : 'success',
      'user.name': user,
      'related.user': [user],
      'source.ip': address,
      'source.port': port,
      'related.ip': [address],
    });
  };
  const firewall = (time: number): EventDraft => {
    const [address, to, port] = [ip(), `10.0.0.${2 + below(249)}`, pick([22, 23, 80, 443, 445, 3389, 8080])];
    const message = `[UFW BLOCK] IN=eth0 OUT= SRC=${address} DST=${to} LEN=40 TTL=245 ID=${below(65_536)} PROTO=TCP SPT=${1024 + below(64_000)} DPT=${port} SYN`;
    return Object.assign(syslog(time, 'kernel', undefined, message), {
      'event.category': ['network'],
      'event.type': ['denied'],
      'source.ip': address,
      'destination.ip': to,
      'destination.port': port,
      'network.transport': 'tcp',
    });
  };
  const one = (): Event => {
    const time = Math.floor(from + ((to - from) * n) / total);
    const k = random();
    const needle = n % 100_000 === needleAt ? ` needle${1 + Math.floor(n / 100_000)}` : '';
    if (n % 500 === 0) offset += 60_000;
    n++;
    if (needle !== '') return syslog(time, 'app', 1, fill(pick(APP)) + needle);
    if (k < 0.45) return access(time);
    if (k < 0.6) return sshd(time);
    if (k < 0.85) return syslog(time, `${pick(WORDS)}-service`, 300 + below(60_000), fill(pick(APP)));
    if (k < 0.93) return firewall(time);
    if (k < 0.98) return syslog(time, 'CRON', 300 + below(60_000), `(root) CMD (/opt/${pick(WORDS)}/bin/rotate --keep ${below(99)})`);
    return syslog(
      time,
      'audit',
      undefined,
      `type=EXECVE msg=audit(${below(1e9)}.${below(1000)}:${below(1e7)}): argc=3 a0="ls" a1="-l" a2="/srv/${pick(WORDS)}"`,
    );
  };
  return {
    next: (count) => Array.from({ length: count }, one),
    offset: () => offset + 60_000,
  };
};
