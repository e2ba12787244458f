// SPDX-License-Identifier: Apache-2.0
/**
 * The rows of a search: only those on screen exist, so a hundred thousand scroll without a long task. j and k move, Enter opens, Esc closes.
 * Input: events, the open one. Output: a scrolling list of buttons under a fixed head.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { EventItem } from '../api/calls.ts';
import type { CellTarget } from './cell-menu.tsx';
import { useRowHeight } from './density.ts';
import { useKeys } from './keys.ts';
import { lineOf } from './line-of.ts';
import { Marked } from './marked.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';

/** The next page is asked for when this many rows are left below. */
const AHEAD = 40;

interface Props {
  readonly items: readonly EventItem[];
  readonly words: readonly string[];
  readonly openId: string | null;
  readonly onOpen: (event: EventItem | null) => void;
  readonly onEnd: () => void;
  readonly pale: boolean;
  /** The menu of a value in a row. */
  readonly onCell: (target: CellTarget) => void;
}

export const ResultList = ({ items, words, openId, onOpen, onEnd, pale, onCell }: Props): ReactNode => {
  const box = useRef<HTMLElement>(null);
  const [active, setActive] = useState(-1);
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
    setActive(index);
    rows.scrollToIndex(index);
    // The row may exist only after the scroll.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true })),
    );
  };
  const move = (by: number): void => {
    const next = Math.min(items.length - 1, Math.max(0, active + by));
    const item = items[next];
    if (!item) return;
    focus(next);
    if (openId !== null) onOpen(item);
  };
  const close = (): void => {
    if (openId === null) return;
    onOpen(null);
    if (active >= 0) focus(active);
  };
  /** The value under the pointer; of the line itself, the host's. */
  const cellOf = (item: EventItem, cell: Element | null, x: number, y: number): void => {
    const field = cell?.closest('[data-field]')?.getAttribute('data-field') ?? 'host.name';
    onCell({ field, value: item[field] ?? '', json: JSON.stringify(item, null, 2), at: Date.parse(String(item['@timestamp'])), x, y });
  };
  const menu = (): void => {
    const item = items[active];
    const row = box.current?.querySelector(`[data-index="${active}"]`)?.getBoundingClientRect();
    if (item && row) cellOf(item, null, row.left + 118, row.bottom);
  };
  useKeys({ j: () => move(1), k: () => move(-1), '.': menu, Escape: close });
  return (
    <div className={pale ? 'events pale' : 'events'}>
      <div className="result head" aria-hidden="true">
        <span>Time</span>
        <span className="wide">Host</span>
        <span className="wide">Dataset</span>
        <span>Line as found</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section ref={box} className="results" aria-label="Events, newest first" tabIndex={0}>
        <div style={{ height: rows.getTotalSize() }}>
          {visible.map(({ index, start }) => {
            const item = items[index];
            if (!item) return null;
            const id = String(item['event.id']);
            const isOpen = id === openId;
            return (
              <button
                type="button"
                key={id}
                data-index={index}
                className={index === active ? 'result active' : 'result'}
                style={{ transform: `translateY(${start}px)` }}
                aria-expanded={isOpen}
                onFocus={() => setActive(index)}
                onClick={() => onOpen(isOpen ? null : item)}
                onContextMenu={(pressed) => {
                  pressed.preventDefault();
                  cellOf(item, pressed.target as Element, pressed.clientX, pressed.clientY);
                }}
              >
                <span className="mono second">
                  <Time at={String(item['@timestamp'])} host={String(item['host.name'] ?? '')} />
                </span>
                <span className="mono wide" data-field="host.name">
                  {shown(String(item['host.name'] ?? ''))}
                </span>
                <span className="mono wide third" data-field="event.dataset">
                  {String(item['event.dataset'] ?? '')}
                </span>
                <span className="mono">
                  <Marked line={lineOf(item).slice(0, 600)} words={words} />
                </span>
              </button>
            );
          })}
        </div>
      </section>
    </div>
  );
};
