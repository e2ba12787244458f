// SPDX-License-Identifier: Apache-2.0
/**
 * What agent and collector say to each other: blocks, answers, heartbeats, enrolment (river.md W, I).
 * Input: nothing. Output: shapes for wire, spool, transport, ingest. The bytes are made in `wire.ts`.
 *
 * History of the protocol; the collector reads two versions back.
 *   1  2026-11-25  First version.
 */
import type { AgentId } from './ids.ts';
import type { UnixMs } from './units.ts';

export const PROTOCOL_VERSION = 1;
export const OLDEST_PROTOCOL_VERSION = 1;

/** Domain of the block signature (W3). */
export const BLOCK_DOMAIN = 'vigil-block-v1';

export const BLOCK_KINDS = ['lines', 'facts', 'gap', 'heartbeat'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** The signed header of a block (W2). Numbers are integers; hashes are 64 hexadecimal digits. */
export interface BlockHeader {
  readonly v: number;
  readonly agent: AgentId;
  /** The raw 32-byte Ed25519 public key that signed the block, base64url. */
  readonly key: string;
  /** The host's name as the agent sees it. For people; identity is `agent`. */
  readonly host: string;
  /** One source on one host, e.g. `file:/var/log/auth.log`. */
  readonly stream: string;
  readonly kind: BlockKind;
  readonly dataset: string;
  /** IANA time zone of the host, e.g. `Europe/Berlin`. */
  readonly zone: string;
  /** 32 hexadecimal digits, random for each life of the stream. */
  readonly epoch: string;
  /** The epoch this one continues, and its last sequence (W10). */
  readonly after?: { readonly epoch: string; readonly seq: number };
  readonly file?: { readonly device: string; readonly inode: string; readonly fingerprint: string };
  /** When the first record was read. */
  readonly at: UnixMs;
  /** Byte offset of the first record in its file. */
  readonly from: number;
  /** Opaque end of a source that has no offsets. */
  readonly cursor?: string;
  /** Running hash over host, dataset and all bytes so far (X2). */
  readonly running?: string;
  /** Sequence of the first record; counts from 1 without holes inside an epoch. */
  readonly first: number;
  readonly count: number;
  /** Bytes of the body before and after zstd. */
  readonly plain: number;
  readonly packed: number;
  /** Hash of the epoch's block before; null for its first. */
  readonly prev: string | null;
  /** SHA-256 of the packed body. */
  readonly hash: string;
}

/** A block as it travels and as it lies in spool and journal: never taken apart and put together again. */
export interface Block {
  readonly header: BlockHeader;
  /** The exact bytes of the header that were signed. */
  readonly headerBytes: Uint8Array;
  /** Ed25519 over BLOCK_DOMAIN and the header bytes, 64 bytes. */
  readonly signature: Uint8Array;
  /** zstd-compressed records. */
  readonly body: Uint8Array;
}

/** A record read back from a block's body. */
export interface BlockRecord {
  readonly seq: number;
  readonly flags: number;
  readonly readAt: UnixMs;
  /** Byte offset behind the record in its file. */
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** Body of a gap block: what an agent had to drop, or cannot send again. */
export interface GapBody {
  readonly from: number;
  readonly to: number;
  readonly cause: 'collector-restored' | 'spool-full' | 'source-overrun' | 'spool-corrupt';
  /** The epoch that it speaks of, where that is not the block's own. */
  readonly epoch?: string;
  readonly count: number;
}

/** Body of a heartbeat block. Sent every 30 s on the stream `heartbeat`. */
export interface HeartbeatBody {
  readonly version: string;
  readonly uptimeMs: number;
  /** The collector's clock minus the agent's, ms, as its last answer told; absent before the first. */
  readonly clockOffsetMs?: number;
  /** The agent's own cost since the heartbeat before. */
  readonly cost: {
    readonly cpuMs: number;
    readonly rssBytes: number;
    readonly spoolBytes: number;
    readonly sentBytes: number;
  };
  readonly streams: readonly StreamHealth[];
  /** Codes of the agent's health conditions, with what they are about. */
  readonly conditions: readonly { readonly code: string; readonly about: string; readonly hint: string }[];
}

export interface StreamHealth {
  readonly stream: string;
  readonly dataset: string;
  readonly epoch: string;
  /** Last sealed sequence. */
  readonly seq: number;
  /** Wall time up to which the source was read to its end; 0 while it never was. */
  readonly readUpTo: UnixMs;
  /** Bytes that stand in the file and are not sealed yet. */
  readonly behindBytes: number;
  /** Counted losses and changes, e.g. `redacted`, `cut`, `dropped`. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Where a journal stands, as an agent remembers it (W6). */
export interface JournalMark {
  readonly incarnation: string;
  /** End offset of the furthest acknowledged block, and that block's hash; 0 and zeros while it acknowledged none. */
  readonly offset: number;
  readonly hash: string;
}

/** Opens a request of blocks. */
export interface BlocksPreamble {
  readonly v: number;
  readonly journal: JournalMark | null;
  readonly blocks: number;
}

export const BLOCK_RESULTS = ['accepted', 'have', 'conflict', 'held', 'bad', 'refused'] as const;
export type BlockResult = (typeof BLOCK_RESULTS)[number];

/** An end of what the journal holds of a stream, from which an agent may go on (W5, W11). */
export interface StreamEnd {
  readonly epoch: string;
  readonly seq: number;
  readonly hash: string;
  /** Byte offset behind the record. */
  readonly end: number;
  /** Running hash over everything up to that record, where the block carried one (W11, X2). */
  readonly running?: string;
  readonly file?: BlockHeader['file'];
  readonly cursor?: string;
  /** Position in the journal behind its block, where that is at hand: an agent that goes on from here knows the journal by it (W6). */
  readonly position?: number;
  /** Records of the block that ends here: where it begins, and of each record its end and the first 16 digits of its bytes' SHA-256. */
  readonly block?: { readonly from: number; readonly records: readonly (readonly [end: number, print: string])[] };
}

/** What the journal holds of a stream (W7). */
export interface StreamRanges {
  readonly stream: string;
  readonly epoch: string;
  readonly ranges: readonly (readonly [from: number, to: number])[];
  readonly last: StreamEnd;
}

export interface BlockAnswer {
  readonly hash: string;
  readonly result: BlockResult;
  /** End offset in the journal, for `accepted` and `have`. */
  readonly offset?: number;
  /** For `bad` and `conflict`: a code and a sentence. */
  readonly code?: string;
  readonly reason?: string;
  /** For `conflict`: ends back from the head, newest first. */
  readonly ends?: readonly StreamEnd[];
}

export type BlocksAnswer =
  | {
      readonly kind: 'answers';
      readonly incarnation: string;
      readonly serverTime: UnixMs;
      readonly answers: readonly BlockAnswer[];
      /** Ranges the collector misses and asks back for (W9). */
      readonly missing?: readonly { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number }[];
    }
  | {
      readonly kind: 'resync';
      readonly incarnation: string;
      readonly serverTime: UnixMs;
      readonly held: readonly StreamRanges[];
      /** The connection's key waits for a person (I5): what it sends is held. */
      readonly standing?: 'held';
    };

/** What a token says, as printed for a host: base64url of this JSON. */
export interface TokenText {
  readonly v: 1;
  /** Base URL of the agents' listener. */
  readonly url: string;
  /** SHA-256 of the CA certificate's public key (SPKI), hexadecimal. */
  readonly pin: string;
  readonly secret: string;
  readonly group: string;
}

export interface EnrolRequest {
  readonly v: number;
  readonly secret: string;
  /** PKCS#10 request in PEM, signed by the agent's new key: proof of possession. */
  readonly csr: string;
  readonly host: string;
  /** Suggests a known host; never proves one (I3). */
  readonly machineId: string;
  readonly zone: string;
  readonly version: string;
}

export interface EnrolAnswer {
  readonly agent: AgentId;
  readonly certificate: string;
  readonly ca: string;
  readonly serverTime: UnixMs;
  readonly renewAfterMs: number;
}

/** Renewal (I4): a nonce is asked for, then signed together with the new request by the enrolled key. */
export interface RenewRequest {
  readonly v: number;
  readonly agent: AgentId;
  readonly key: string;
  readonly nonce: string;
  readonly csr: string;
  /** Ed25519 over `vigil-renew-v1`, nonce and csr, by the key above; base64url. */
  readonly signature: string;
}

export const RENEW_DOMAIN = 'vigil-renew-v1';

/** Paths of the agents' listener (I1). */
export const AGENT_PATHS = {
  blocks: '/agent/v1/blocks',
  heads: '/agent/v1/heads',
  enrol: '/agent/v1/enrol',
  nonce: '/agent/v1/nonce',
  renew: '/agent/v1/renew',
} as const;

/** Bounds of one request and one block. */
export const LIMITS = {
  requestBytes: 16_777_216,
  blocksPerRequest: 256,
  headerBytes: 8_192,
  blockPlainBytes: 4_194_304,
  blockPackedBytes: 4_194_304,
  recordsPerBlock: 16_384,
  /** A body may unpack to at most this many times its packed size, or 1 MiB. */
  unpackRatio: 400,
} as const;
