// SPDX-License-Identifier: Apache-2.0
/**
 * Facts of an agent's sources as events: files (fim), inventory, settings (posture). One JSON text a record (core/fact.ts).
 * Input: one record of a dataset of facts. Output: its event; what is no fact of that dataset is kept raw, as failed.
 */
import { FACT_KINDS, type Fact, type FactDataset, type FactKind, parseFact } from '../../../core/fact.ts';
import type { EventDraft } from '../../model/event.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { factEvent } from '../shape.ts';
import { setAction } from './action.ts';
import { emitsOf, setFields } from './fields.ts';
import { factMessage } from './message.ts';

/** The fact of a record's text, where it is one of that dataset. Each source closes its scans itself. */
export const factOf = (text: string, dataset: string): Fact | null => {
  const fact = parseFact(text);
  return fact !== null && (fact.kind === 'scan' || FACT_KINDS[fact.kind].dataset === dataset) ? fact : null;
};

const decodeFact =
  (dataset: FactDataset) =>
  (frame: Frame): EventDraft | null => {
    const fact = factOf(frame.text, dataset);
    if (fact === null) return null;
    frame.time = fact.at;
    const event = factEvent(frame);
    setAction(event, fact);
    setFields(event, fact);
    event['message'] = factMessage(fact);
    return event;
  };

const kindsOf = (dataset: FactDataset): readonly FactKind[] =>
  (Object.keys(FACT_KINDS) as FactKind[]).filter((kind) => kind === 'scan' || FACT_KINDS[kind].dataset === dataset);

const FILE_FIELDS = ['file.directory', 'file.name', 'file.extension', 'related.hash', 'package.name'] as const;
const ACCOUNT_FIELDS = ['user.name', 'related.user', 'group.name', 'related.ip'] as const;

/** A changed file is a file event of Sigma by its category; the service stands for all of them. */
export const fim: Decoder = {
  dataset: 'fim',
  title: 'files that were added, changed or removed, as the agent found them',
  logsource: [{ product: 'linux', service: 'fim' }],
  emits: emitsOf(kindsOf('fim'), ...FILE_FIELDS),
  form: 'line',
  sole: true,
  decode: decodeFact('fim'),
};

export const inventory: Decoder = {
  dataset: 'inventory',
  title: 'what a host is: system, packages, accounts, keys, services, listeners, certificates',
  logsource: [{ product: 'linux', service: 'inventory' }],
  emits: emitsOf(kindsOf('inventory'), ...ACCOUNT_FIELDS),
  form: 'line',
  sole: true,
  decode: decodeFact('inventory'),
};

export const posture: Decoder = {
  dataset: 'posture',
  title: 'settings of a host, checked: what was found, what is expected, pass or fail',
  logsource: [{ product: 'linux', service: 'posture' }],
  emits: emitsOf(kindsOf('posture'), 'event.outcome', 'rule.name'),
  form: 'line',
  sole: true,
  decode: decodeFact('posture'),
};
