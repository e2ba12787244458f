// SPDX-License-Identifier: Apache-2.0
/**
 * The command palette: Ctrl K, a few letters, Enter. Pages, hosts, open incidents, and a search for what was typed.
 * Input: the person. Output: a dialog with a combobox; the focus comes back where it was.
 */
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { incidents, type Me } from '../api/calls.ts';
import { hosts } from '../api/ground.ts';
import { pagesOf } from '../pages.tsx';
import { literalOf } from './kql.ts';
import { shown } from './shown.ts';

interface Found {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly hint?: string;
  readonly path: string;
}

const SHOWN = 12;

const matches = (text: string, typed: string): boolean =>
  typed.split(/\s+/).every((word) => text.toLowerCase().includes(word.toLowerCase()));

export const Palette = ({ who, onLeave }: { readonly who: Me; readonly onLeave: () => void }): ReactNode => {
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const may = (permission: string): boolean => who.permissions.includes(permission);
  const fleet = useQuery({ queryKey: ['hosts'], queryFn: hosts, enabled: may('fleet.read'), staleTime: 30_000 });
  const open = useQuery({
    queryKey: ['incidents', 'palette'],
    queryFn: () => incidents({ limit: 200 }),
    enabled: may('incident.read'),
    staleTime: 10_000,
  });
  useEffect(() => {
    const before = document.activeElement;
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const text = typed.trim();
  const all: readonly Found[] = [
    ...pagesOf(who)
      .filter(({ group }) => group !== null)
      .map(({ path, name, key }) => ({ key: path, kind: 'Page', name, path, ...(key === undefined ? {} : { hint: `g ${key}` }) })),
    ...(open.data?.items ?? []).map((one) => ({
      key: one.id,
      kind: 'Incident',
      name: `${one.reference} ${one.title}`,
      hint: one.state,
      path: `/incidents/${one.reference}`,
    })),
    ...(fleet.data?.items ?? []).flatMap((one) =>
      one.id === null
        ? []
        : [{ key: one.id, kind: 'Host', name: one.name, hint: one.standing, path: `/hosts/${encodeURIComponent(one.id)}` }],
    ),
  ];
  const found = all.filter(({ kind, name }) => text === '' || matches(`${kind} ${name}`, text)).slice(0, SHOWN);
  const asked: readonly Found[] =
    text === ''
      ? []
      : [
          ...(may('event.read')
            ? [
                {
                  key: 'search',
                  kind: 'Search',
                  name: `events for ${text}`,
                  path: `/search?${new URLSearchParams({ q: /[:<>]/.test(text) ? text : literalOf(text) })}`,
                },
              ]
            : []),
          ...(/^(alr|inc)_[\w-]+$/.test(text)
            ? [{ key: 'id', kind: 'Open', name: text, path: `/${text.startsWith('alr') ? 'alerts' : 'incidents'}/${text}` }]
            : []),
        ];
  const list = [...found, ...asked];
  const at = Math.min(chosen, list.length - 1);
  const go = (one: Found | undefined): void => {
    if (!one) return;
    onLeave();
    void navigate(one.path);
  };
  const press = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setChosen((at + step + list.length) % Math.max(1, list.length));
    else if (event.key === 'Enter') go(list[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      className="dialog palette"
      aria-label="Go to or search"
      onCancel={(event) => {
        event.preventDefault();
        onLeave();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onLeave();
      }}
      onKeyDown={press}
    >
      <input
        type="text"
        role="combobox"
        aria-label="Page, host, incident, or words to search for"
        aria-expanded={list.length > 0}
        aria-controls={id}
        aria-activedescendant={list[at] ? `${id}-${at}` : undefined}
        placeholder="Page, host, INC-8, or words to search for"
        value={typed}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setChosen(0);
        }}
      />
      <div role="listbox" id={id} aria-label="Found">
        {list.map((one, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the keys
          <div
            key={`${one.kind} ${one.key}`}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            onClick={() => go(one)}
          >
            <span className="small third">{one.kind}</span>
            <span>{shown(one.name)}</span>
            <span className="small third">{one.hint}</span>
          </div>
        ))}
      </div>
    </dialog>
  );
};
