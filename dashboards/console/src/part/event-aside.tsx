// SPDX-License-Identifier: Apache-2.0
/**
 * One event whole: its raw line, every field, and the block it lies in; a field narrows the search or takes its value out.
 * Input: the event. Output: an aside beside the list.
 */
import { ActionIcon, CloseButton, CopyButton } from '@mantine/core';
import type { ReactNode } from 'react';
import type { EventItem } from '../page/search.tsx';

interface Props {
  readonly event: EventItem;
  readonly query: string;
  readonly onClose: () => void;
  readonly onQuery: (query: string) => void;
}

const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** A value as KQL writes it. */
const literal = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : quoted(String(value));

export const EventAside = ({ event, query, onClose, onQuery }: Props): ReactNode => {
  const entries = Object.entries(event)
    .filter(([name]) => name !== 'event.original')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const narrow = (name: string, value: unknown, not: boolean): void => {
    const term = `${not ? 'not ' : ''}${name}: ${literal(Array.isArray(value) ? value[0] : value)}`;
    onQuery(query.trim() === '' ? term : `${/\bor\b/i.test(query) ? `(${query})` : query} and ${term}`);
  };
  return (
    <aside className="aside" aria-label="Event">
      <div style={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', marginBottom: 8 }}>
        <h2 style={{ font: '600 13.5px/20px var(--sans)' }}>Event</h2>
        <span style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
          <CopyButton value={JSON.stringify(event, null, 2)}>
            {({ copied, copy }) => (
              <button type="button" className="evidence" onClick={copy}>
                {copied ? 'copied' : 'copy as JSON'}
              </button>
            )}
          </CopyButton>
          <CloseButton size="sm" aria-label="Close the event" onClick={onClose} />
        </span>
      </div>
      <pre className="raw">{String(event['event.original'] ?? '')}</pre>
      <dl className="pairs" style={{ marginTop: 12, gridTemplateColumns: 'minmax(0, 11fr) minmax(0, 16fr) auto' }}>
        {entries.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt className="mono" style={{ overflowWrap: 'anywhere' }}>
              {name}
            </dt>
            <dd className="mono">{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>
            <dd className="nowrap">
              {typeof value === 'object' && !Array.isArray(value) ? null : (
                <>
                  <Sign text="+" label={`Only events where ${name} is this`} onClick={() => narrow(name, value, false)} />
                  <Sign text="−" label={`Leave out events where ${name} is this`} onClick={() => narrow(name, value, true)} />
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </aside>
  );
};

const Sign = ({ text, label, onClick }: { readonly text: string; readonly label: string; readonly onClick: () => void }): ReactNode => (
  <ActionIcon variant="subtle" color="gray" size={18} aria-label={label} title={label} onClick={onClick}>
    {text}
  </ActionIcon>
);
