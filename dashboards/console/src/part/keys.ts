// SPDX-License-Identifier: Apache-2.0
/**
 * Single keys: `/` query, `z` zone and the others of a page. Off while somebody types, and for good when a person wants so.
 * Input: keydown of the document. Output: the action of the key.
 */
import { useEffect, useRef } from 'react';

const STORED = 'vigil.keys';

export const keysAreOn = (): boolean => localStorage.getItem(STORED) !== 'off';
export const switchKeys = (on: boolean): void => localStorage.setItem(STORED, on ? 'on' : 'off');

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

/** How long after `g` a letter goes to a page, in ms. */
const GO_MS = 1_000;
let goAt = Number.NEGATIVE_INFINITY;

const isQuiet = (event: KeyboardEvent): boolean =>
  isTyping(event.target) || !keysAreOn() || document.querySelector('dialog[open], [role=menu]') !== null;

/** `g` and then a letter goes to a page; meanwhile the letter means nothing else. */
export const useGoKeys = (pages: Readonly<Record<string, () => void>>): void => {
  const latest = useRef(pages);
  latest.current = pages;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isQuiet(event)) return;
      const go = performance.now() - goAt < GO_MS ? latest.current[event.key] : undefined;
      goAt = event.key === 'g' ? performance.now() : goAt;
      if (!go) return;
      goAt = Number.NEGATIVE_INFINITY;
      event.preventDefault();
      go();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
};

/** Runs the action of a key anywhere on the page. `Escape` works while typing too, and when single keys are off. */
export const useKeys = (actions: Readonly<Record<string, (() => void) | undefined>>): void => {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const action = latest.current[event.key];
      if (!action || performance.now() - goAt < GO_MS) return;
      if (event.key !== 'Escape' ? isQuiet(event) : document.querySelector('dialog[open], [role=menu]')) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
};

/** What `?` shows; the pages' own keys stand with the pages. */
export const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['/', 'Write a query'],
  ['j  k', 'Next, previous row'],
  ['Enter', 'Open it'],
  ['Esc', 'Close it, leave a field'],
  ['.', 'The menu of a value'],
  ['x', 'Select the alert'],
  ['*', 'Select all, or none'],
  ['a', 'Assign to me'],
  ['e', 'Close with a verdict'],
  ['n', 'Write a note'],
  ['i', 'Put into an incident'],
  ['u', 'Undo what was just done'],
  ['[  ]', 'Earlier, later window'],
  ['Ctrl K', 'Go to a page, a host, an incident'],
  ['z', 'Times in UTC, local, or the host’s'],
  ['d', 'Rows standard, relaxed, compact'],
  ['?', 'These keys'],
];
