// SPDX-License-Identifier: Apache-2.0
/**
 * The Merkle tree of RFC 6962 over audit records: roots, inclusion proofs and their check. Pure.
 * Input: the canonical bytes of records, in order. Output: 32-byte hashes.
 */
import { createHash } from 'node:crypto';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const digest = (...pieces: readonly Uint8Array[]): Buffer => {
  const h = createHash('sha256');
  for (const piece of pieces) h.update(piece);
  return h.digest();
};

/** SHA-256(0x00 ‖ record). */
export const leafHash = (record: Uint8Array): Buffer => digest(LEAF, record);

const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => digest(NODE, left, right);

interface Peak {
  readonly size: number;
  readonly hash: Uint8Array;
}

/** A tree as its perfect subtrees from left to right: all that is needed to grow it and to say its root. */
export interface Tree {
  readonly size: number;
  readonly peaks: readonly Peak[];
}

export const EMPTY_TREE: Tree = { size: 0, peaks: [] };

/** The tree with one more leaf. */
export const grow = (tree: Tree, leaf: Uint8Array): Tree => {
  const peaks = [...tree.peaks];
  let top: Peak = { size: 1, hash: leaf };
  for (let last = peaks.at(-1); last && last.size === top.size; last = peaks.at(-1)) {
    peaks.pop();
    top = { size: top.size * 2, hash: nodeHash(last.hash, top.hash) };
  }
  peaks.push(top);
  return { size: tree.size + 1, peaks };
};

/** The root; of the empty tree the hash of nothing. */
export const rootOf = (tree: Tree): Uint8Array => {
  const [last, ...rest] = [...tree.peaks].reverse();
  return last ? rest.reduce<Uint8Array>((right, peak) => nodeHash(peak.hash, right), last.hash) : digest();
};

// Largest power of two below n.
const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

const rangeRoot = (leaves: readonly Uint8Array[]): Uint8Array => {
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return nodeHash(rangeRoot(leaves.slice(0, k)), rangeRoot(leaves.slice(k)));
};

/** The hashes beside the way from a leaf to the root, lowest first; `index` counts from 0 and lies within the leaves. */
export const inclusionProof = (leaves: readonly Uint8Array[], index: number): readonly Uint8Array[] => {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...inclusionProof(leaves.slice(0, k), index), rangeRoot(leaves.slice(k))]
    : [...inclusionProof(leaves.slice(k), index - k), rangeRoot(leaves.slice(0, k))];
};

/** True when the proof leads from the leaf at `index` to the root of a tree of `size` leaves. */
export const inclusionHolds = (leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean => {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const beside of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(beside, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    } else hash = nodeHash(hash, beside);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && Buffer.compare(hash, root) === 0;
};
