// SPDX-License-Identifier: Apache-2.0
/**
 * The collector's clock: ages and windows are counted by it, whatever the clock of this browser says.
 * Input: the newest status. Output: the time now, in ms.
 */
import { useQuery } from '@tanstack/react-query';
import { status } from '../api/calls.ts';

/** Offset of the collector's clock, told apart from the way that the answer took. */
const SAME_MS = 2_000;

export const useClock = (): (() => number) => {
  const { data, dataUpdatedAt } = useQuery({ queryKey: ['status'], queryFn: status });
  const offset = data ? Date.parse(data.time) - dataUpdatedAt : 0;
  return () => Date.now() + (Math.abs(offset) < SAME_MS ? 0 : offset);
};
