// SPDX-License-Identifier: Apache-2.0
/**
 * One event whole: its raw line and every field; a field narrows the search or takes its value out.
 * Input: the event. Output: an aside beside the list.
 */
import type { ReactNode } from 'react';
import type { EventItem } from '../api/calls.ts';
import type { CellTarget } from './cell-menu.tsx';
import { Copy } from './copy.tsx';
import { literalOf, withTerm } from './kql.ts';
import { Marked } from './marked.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';

interface Props {
  readonly event: EventItem;
  readonly words: readonly string[];
  readonly query: string;
  readonly onClose: () => void;
  readonly onQuery: (query: string) => void;
  /** The menu of a value. */
  readonly onCell: (target: CellTarget) => void;
  /** Everything of the same host within 15 minutes of a time. */
  readonly onAround: (host: string, at: number) => void;
}

/** Where the event lies and how it got here stands below what it says. */
const rank = (name: string): number =>
  /^(vigil|agent)\./.test(name) ? 2 : /^(event\.(id|created|ingested|dataset|kind)|ecs|log)/.test(name) ? 1 : 0;

const valueText = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(', ') : typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

export const EventAside = ({ event, words, query, onClose, onQuery, onCell, onAround }: Props): ReactNode => {
  const entries = Object.entries(event)
    .filter(([name]) => name !== 'event.original')
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const original = String(event['event.original'] ?? '');
  const at = String(event['@timestamp']);
  const host = event['host.name'];
  const open = (field: string, value: unknown, from: HTMLElement): void => {
    const { left, bottom } = from.getBoundingClientRect();
    onCell({
      field,
      value: Array.isArray(value) ? value[0] : value,
      json: JSON.stringify(event, null, 2),
      at: Date.parse(at),
      x: left,
      y: bottom + 2,
    });
  };
  const narrow = (name: string, value: unknown, not: boolean): void =>
    onQuery(withTerm(query, `${not ? 'not ' : ''}${name}: ${literalOf(Array.isArray(value) ? value[0] : value)}`));
  return (
    <aside className="aside" aria-label="Event">
      <header>
        <h2>
          <Time at={at} host={String(host ?? '')} />
        </h2>
        <button type="button" className="ctl square plain-ctl" aria-label="Close the event" title="Close  Esc" onClick={onClose}>
          ×
        </button>
      </header>
      <h3>Line as found</h3>
      <pre className="raw">
        <Marked line={original} words={words} />
      </pre>
      <p className="acts">
        {typeof host === 'string' ? (
          <button type="button" className="evidence" onClick={() => onAround(host, Date.parse(at))}>
            {host} ±15 min
          </button>
        ) : null}
        <Copy text={original} label="copy line" />
        <Copy text={JSON.stringify(event, null, 2)} label="copy as JSON" />
      </p>
      <h3>Fields</h3>
      <dl className="fields">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt className="mono">{shown(name)}</dt>
            {typeof value === 'object' && !Array.isArray(value) ? (
              <dd className="mono">{shown(valueText(value))}</dd>
            ) : (
              <dd className="mono">
                <button
                  type="button"
                  className="value"
                  aria-haspopup="menu"
                  onClick={({ currentTarget }) => open(name, value, currentTarget)}
                  onContextMenu={(pressed) => {
                    pressed.preventDefault();
                    open(name, value, pressed.currentTarget);
                  }}
                  onKeyDown={(pressed) => {
                    if (pressed.key !== '.') return;
                    pressed.preventDefault();
                    open(name, value, pressed.currentTarget);
                  }}
                >
                  {shown(valueText(value))}
                </button>
              </dd>
            )}
            {typeof value === 'object' && !Array.isArray(value) ? null : (
              <dd className="signs">
                <button
                  type="button"
                  aria-label={`Only events where ${name} is this`}
                  title="Include"
                  onClick={() => narrow(name, value, false)}
                >
                  +
                </button>
                <button
                  type="button"
                  aria-label={`Leave out events where ${name} is this`}
                  title="Exclude"
                  onClick={() => narrow(name, value, true)}
                >
                  −
                </button>
              </dd>
            )}
          </div>
        ))}
      </dl>
    </aside>
  );
};
