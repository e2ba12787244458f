// SPDX-License-Identifier: Apache-2.0
/**
 * The rows of a search: only those on screen exist, so a hundred thousand scroll without a long task. j and k move, Enter opens, Esc closes.
 * Input: events, the open one. Output: a scrolling list of buttons.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import type { EventItem } from '../page/search.tsx';
import { Time } from './time.tsx';

const ROW = 32;

interface Props {
  readonly items: readonly EventItem[];
  readonly open: EventItem | null;
  readonly onOpen: (event: EventItem | null) => void;
  readonly onEnd: () => void;
}

export const ResultList = ({ items, open, onOpen, onEnd }: Props): ReactNode => {
  const box = useRef<HTMLElement>(null);
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 12 });
  const visible = rows.getVirtualItems();
  const last = visible[visible.length - 1]?.index ?? 0;
  useEffect(() => {
    if (items.length > 0 && last >= items.length - 40) onEnd();
  }, [last, items.length, onEnd]);
  const at = open ? items.findIndex((item) => item['event.id'] === open['event.id']) : -1;
  const move = (by: number): void => {
    const next = Math.min(items.length - 1, Math.max(0, at + by));
    const item = items[next];
    if (!item) return;
    rows.scrollToIndex(next);
    onOpen(item);
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'j' || event.key === 'ArrowDown') move(1);
    else if (event.key === 'k' || event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Escape') onOpen(null);
    else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section ref={box} className="results" onKeyDown={keys} aria-label="Events, newest first" tabIndex={0}>
      <div style={{ height: rows.getTotalSize() }}>
        {visible.map(({ index, start }) => {
          const item = items[index];
          if (!item) return null;
          const isOpen = index === at;
          return (
            <button
              type="button"
              key={String(item['event.id'])}
              className="result"
              style={{ transform: `translateY(${start}px)` }}
              aria-expanded={isOpen}
              onClick={() => onOpen(isOpen ? null : item)}
            >
              <span className="mono">
                <Time at={String(item['@timestamp'])} />
              </span>
              <span className="mono wide">{String(item['host.name'] ?? '')}</span>
              <span className="mono wide third">{String(item['event.dataset'] ?? '')}</span>
              <span className="mono">{String(item['event.original'] ?? item['message'] ?? '')}</span>
            </button>
          );
        })}
      </div>
    </section>
  );
};
