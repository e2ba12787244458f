// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts in rows of one height under a fixed head; only those on screen exist. j and k move, x selects, * takes all, Enter opens.
 * Input: alerts, the open one, the selection. Output: a scrolling list; each row a box to tick and a button.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import type { AlertItem } from '../api/calls.ts';
import { useRowHeight } from './density.ts';
import { useKeys } from './keys.ts';
import { SeverityMark } from './marks.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { verdictText } from './verdicts.ts';
import { capital, countText } from './words.ts';

const AHEAD = 60;

interface Props {
  readonly items: readonly AlertItem[];
  readonly openId: string | null;
  readonly active: number;
  readonly onActive: (index: number) => void;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
  readonly onOpen: (alert: AlertItem | null) => void;
  readonly onEnd: () => void;
  readonly nameOf: (id: string) => string;
  readonly pale: boolean;
}

const stateText = (one: AlertItem): string => (one.state === 'closed' && one.verdict ? verdictText(one.verdict) : capital(one.state));

export const AlertList = ({ items, openId, active, onActive, selected, onSelect, onOpen, onEnd, nameOf, pale }: Props): ReactNode => {
  const box = useRef<HTMLElement>(null);
  const height = useRowHeight();
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: () => height, overscan: 12 });
  const visible = rows.getVirtualItems();
  const last = visible[visible.length - 1]?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when rows get another height
  useEffect(() => rows.measure(), [height]);
  useEffect(() => {
    if (items.length > 0 && last >= items.length - AHEAD) onEnd();
  }, [last, items.length, onEnd]);
  const focus = (index: number): void => {
    onActive(index);
    rows.scrollToIndex(index);
    // The row may exist only after the scroll.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        box.current?.querySelector<HTMLElement>(`[data-index="${index}"] button`)?.focus({ preventScroll: true }),
      ),
    );
  };
  const move = (by: number): void => {
    const next = Math.min(items.length - 1, Math.max(0, active + by));
    const item = items[next];
    if (!item) return;
    focus(next);
    if (openId !== null) onOpen(item);
  };
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  };
  const leave = (): void => {
    if (selected.size > 0) onSelect(new Set());
    else if (openId !== null) {
      onOpen(null);
      if (active >= 0) focus(active);
    }
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: () => items[active] && toggle(items[active].id),
    '*': () => onSelect(selected.size === items.length ? new Set() : new Set(items.map(({ id }) => id))),
    Escape: leave,
  });
  return (
    <div className={pale ? 'events pale' : 'events'}>
      <div className="alert-row head" aria-hidden="true">
        <span />
        <div className="cells">
          <span>Last</span>
          <span />
          <span>What</span>
          <span className="wide">About</span>
          <span className="wide">State</span>
          <span className="right">Lines</span>
        </div>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section ref={box} className="results alerts" aria-label="Alerts, newest first" tabIndex={0}>
        <div style={{ height: rows.getTotalSize() }}>
          {visible.map(({ index, start }) => {
            const one = items[index];
            if (!one) return null;
            const isOpen = one.id === openId;
            const isTicked = selected.has(one.id);
            return (
              <div
                key={one.id}
                data-index={index}
                className={`alert-row${index === active ? ' active' : ''}${isOpen ? ' open' : ''}${isTicked ? ' ticked' : ''}`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <label className="tick">
                  <input type="checkbox" checked={isTicked} onChange={() => toggle(one.id)} />
                  <span className="hidden-visually">Select {shown(one.title)}</span>
                </label>
                <button
                  type="button"
                  className="cells"
                  aria-expanded={isOpen}
                  onFocus={() => onActive(index)}
                  onClick={() => onOpen(isOpen ? null : one)}
                >
                  <span className="mono second">
                    <Time at={one.last} />
                  </span>
                  <span>
                    <SeverityMark level={one.level} bare />
                  </span>
                  <span className={one.state === 'new' ? 'medium' : one.state === 'closed' ? 'third' : ''}>{shown(one.title)}</span>
                  <span className="mono wide">{shown(one.entityName)}</span>
                  <span className="wide second">
                    {one.state === 'closed' ? <i className="serif">{stateText(one)}</i> : stateText(one)}
                    {one.assignee === undefined ? null : <span className="third">, {nameOf(one.assignee)}</span>}
                  </span>
                  <span className="mono right">{countText(one.count)}</span>
                </button>
              </div>
            );
          })}
        </div>
      </section>
    </div>
  );
};
