// SPDX-License-Identifier: Apache-2.0
/**
 * The measured ground that control states and risks stand on, read from the state: hosts, decisions, spans of observations.
 * Input: the state store, catalogue and map. Output: one ground a question, kept for a moment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import type { AssetId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Check } from '../model/observation.ts';
import type { Collection, Collections, StateStore } from '../store/store.ts';
import { pairsOf } from './answers.ts';
import { CATALOGUES, type Catalogue, type CatalogueId, parseCatalogue } from './catalogue.ts';
import type { Ground } from './laws.ts';
import { type ControlMap, parseMap } from './mapping.ts';
import { staysOf } from './population.ts';

/** What is shipped and does not change while the collector runs. */
export interface Framework {
  readonly catalogue: Catalogue;
  readonly map: ControlMap;
  /** Titles, severities and fixes of checks, as far as they are known here. */
  readonly checks: ReadonlyMap<string, Check>;
}

export interface NamedGround extends Ground {
  readonly nameOf: (host: AssetId) => string;
}

const textOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw fault('FILE_UNREADABLE', { file, reason: systemCode(error) ?? 'it cannot be opened' }, error);
  });

/** @throws CodedError FILE_UNREADABLE, CATALOGUE_BAD. */
export const readCatalogue = async (dir: string, id: CatalogueId): Promise<Catalogue> =>
  parseCatalogue(id, await textOf(join(dir, 'controls', CATALOGUES[id].file)));

/** Reads what stands under a folder of rules. @throws CodedError FILE_UNREADABLE, CATALOGUE_BAD, MAP_BAD, YAML_BAD. */
export const readFramework = async (dir: string, checks: Framework['checks']): Promise<Framework> => {
  const catalogue = await readCatalogue(dir, 'csf:2.0');
  const file = join(dir, 'controls', 'map.yml');
  return { catalogue, map: parseMap(await textOf(file), file, catalogue), checks };
};

/** Small enough that no other question waits long while one is read. */
const CHUNK = 1_000;
/** Documents of one kind that a question looks at. */
const MOST = 500_000;

/** All documents of a collection, up to a bound. */
export const readAll = async <C extends Collection>(state: StateStore, collection: C): Promise<readonly Collections[C][]> => {
  const all: Collections[C][] = [];
  for (let after: string | null | undefined; after !== null && all.length < MOST; ) {
    const page: Awaited<ReturnType<typeof state.list<C>>> = await state.list(collection, {
      limit: CHUNK,
      ...(after === undefined ? {} : { after }),
    });
    for (const { value } of page.items) all.push(value);
    after = page.next;
  }
  return all;
};

/** Questions that come together share one reading. */
const KEPT_MS = 5_000;

export const openGround = (state: StateStore, { map }: Framework, self: AssetId, now: () => UnixMs): (() => Promise<NamedGround>) => {
  let kept: { readonly at: UnixMs; readonly ground: Promise<NamedGround> } | null = null;
  const read = async (): Promise<NamedGround> => {
    const [assets, decisions, agents, spans] = await Promise.all([
      readAll(state, 'asset'),
      readAll(state, 'hostDecision'),
      readAll(state, 'agent'),
      readAll(state, 'observation'),
    ]);
    const names = new Map(assets.map(({ id, name }) => [id, name]));
    return {
      stays: staysOf(assets, decisions, agents),
      pairs: pairsOf(spans),
      once: map.once,
      self,
      nameOf: (host) => names.get(host) ?? host,
    };
  };
  return () => {
    const at = now();
    if (kept === null || at - kept.at > KEPT_MS || at < kept.at) kept = { at, ground: read() };
    const { ground } = kept;
    ground.catch(() => {
      kept = null;
    });
    return ground;
  };
};
