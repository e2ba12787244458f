// SPDX-License-Identifier: Apache-2.0
/**
 * How high rows are: compact 28, standard 32, relaxed 40 pixels; kept for this person in this browser.
 * Input: `d`. Output: the attribute that the styles read.
 */
import { useSyncExternalStore } from 'react';

const STORED = 'vigil.density';
const ORDER = ['standard', 'relaxed', 'compact'] as const;

/** Height of a row in pixels. */
const HEIGHTS: Readonly<Record<Density, number>> = { compact: 28, standard: 32, relaxed: 40 };

const listeners = new Set<() => void>();

type Density = (typeof ORDER)[number];

const densityNow = (): Density => ORDER.find((one) => one === localStorage.getItem(STORED)) ?? 'standard';

export const applyDensity = (): void => {
  document.documentElement.dataset['density'] = densityNow();
};

export const nextDensity = (): void => {
  localStorage.setItem(STORED, ORDER[(ORDER.indexOf(densityNow()) + 1) % ORDER.length] ?? 'standard');
  applyDensity();
  for (const listener of listeners) listener();
};

/** The height of a row in a list whose rows exist only on screen. */
export const useRowHeight = (): number =>
  HEIGHTS[
    useSyncExternalStore((listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    }, densityNow)
  ];
