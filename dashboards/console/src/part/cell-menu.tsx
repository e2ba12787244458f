// SPDX-License-Identifier: Apache-2.0
/**
 * The menu of a value: right click, `.` or a long press; include, exclude, only this, group by, more of the same, its page, a copy.
 * Input: a field and its value, where it stands. Output: a query, another page, the clipboard.
 */
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { literalOf, withTerm } from './kql.ts';
import { shown } from './shown.ts';

export interface CellTarget {
  readonly field: string;
  readonly value: unknown;
  /** The whole event as JSON, and its time: for what happened around it. */
  readonly json?: string;
  readonly at?: number;
  readonly x: number;
  readonly y: number;
}

interface Props {
  readonly target: CellTarget;
  readonly query: string;
  readonly onQuery: (query: string, window?: { readonly from: string; readonly to: string }) => void;
  readonly onGroup?: (field: string) => void;
  readonly onClose: () => void;
}

interface Item {
  readonly key: string;
  readonly name: string;
  readonly act: () => void;
}

/** Fields whose values have a page, by the kind it is known by. */
const ENTITIES: Readonly<Record<string, string>> = {
  'source.ip': 'ip',
  'destination.ip': 'ip',
  'client.ip': 'ip',
  'user.name': 'user',
  'service.name': 'service',
};

const SPAN_MS = 900_000;
const iso = (at: number): string => new Date(at).toISOString();
const copy = (text: string): void => void navigator.clipboard.writeText(text).catch(() => undefined);

export const CellMenu = ({ target, query, onQuery, onGroup, onClose }: Props): ReactNode => {
  const navigate = useNavigate();
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: target.x, top: target.y });
  const { field, value, json, at } = target;
  const literal = literalOf(value);
  const term = `${field}: ${literal}`;
  const entity = ENTITIES[field];
  const go = (next: string, window?: { readonly from: string; readonly to: string }): void => onQuery(next, window);
  const isNumber = typeof value === 'number';
  const items: readonly Item[] = [
    { key: '+', name: 'Include', act: () => go(withTerm(query, term)) },
    { key: '-', name: 'Exclude', act: () => go(withTerm(query, `not ${term}`)) },
    { key: '=', name: 'Only this', act: () => go(term) },
    ...(isNumber
      ? [
          { key: '>', name: `At least ${String(value)}`, act: () => go(withTerm(query, `${field} >= ${String(value)}`)) },
          { key: '<', name: `At most ${String(value)}`, act: () => go(withTerm(query, `${field} <= ${String(value)}`)) },
        ]
      : []),
    ...(onGroup ? [{ key: 'g', name: `Group by ${field}`, act: () => onGroup(field) }] : []),
    { key: 'h', name: 'The same in 30 days', act: () => go(term, { from: 'now-30d', to: 'now' }) },
    ...(at === undefined
      ? []
      : [{ key: 'c', name: 'What else within 15 min', act: () => go(term, { from: iso(at - SPAN_MS), to: iso(at + SPAN_MS) }) }]),
    ...(field === 'host.name'
      ? [{ key: 'o', name: 'Open the host', act: () => void navigate(`/hosts/${encodeURIComponent(String(value))}`) }]
      : []),
    ...(entity === undefined
      ? []
      : [{ key: 'o', name: 'Open its page', act: () => void navigate(`/entities/${entity}/${encodeURIComponent(String(value))}`) }]),
    { key: 'y', name: 'Copy the value', act: () => copy(String(value)) },
    { key: 'f', name: 'Copy as a term', act: () => copy(term) },
    ...(json === undefined ? [] : [{ key: 'J', name: 'Copy the event as JSON', act: () => copy(json) }]),
  ];
  useLayoutEffect(() => {
    const one = box.current;
    if (!one) return;
    const { width, height } = one.getBoundingClientRect();
    setPlace({
      left: Math.max(8, Math.min(target.x, innerWidth - width - 8)),
      top: Math.max(8, Math.min(target.y, innerHeight - height - 8)),
    });
  }, [target]);
  useEffect(() => {
    const before = document.activeElement;
    box.current?.querySelector<HTMLElement>('button')?.focus();
    const away = (event: Event): void => {
      if (!(event.target instanceof Node) || !box.current?.contains(event.target)) onClose();
    };
    document.addEventListener('pointerdown', away);
    return () => {
      document.removeEventListener('pointerdown', away);
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [onClose]);
  const take = ({ act }: Item): void => {
    onClose();
    act();
  };
  const press = (event: React.KeyboardEvent): void => {
    const buttons = [...(box.current?.querySelectorAll<HTMLElement>('button') ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLElement);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const named = items.find(({ key }) => key === event.key);
    if (step !== 0) buttons[(now + step + buttons.length) % buttons.length]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') onClose();
    else if (named) take(named);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={box}
      className="cell-menu"
      role="menu"
      tabIndex={-1}
      aria-label={`${field} ${shown(String(value))}`}
      style={place}
      onKeyDown={press}
    >
      <p className="mono" aria-hidden="true">
        {field}: {shown(String(value)).slice(0, 80)}
      </p>
      {items.map((item) => (
        <button key={`${item.key} ${item.name}`} type="button" role="menuitem" onClick={() => take(item)}>
          <span>{item.name}</span>
          <kbd>{item.key}</kbd>
        </button>
      ))}
    </div>
  );
};
