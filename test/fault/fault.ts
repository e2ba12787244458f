// SPDX-License-Identifier: Apache-2.0
/**
 * What a fault of `npm run fault` is: something that is done to a running world, after which everything written must stand there once.
 * Input: nothing. Output: the shape that each file of this folder fills.
 */
import type { Random } from '../model/random.ts';
import type { World, WorldOptions } from './world.ts';

export interface FaultOptions {
  readonly random: Random;
  /** How long things are away, full or wrong. */
  readonly awayMs: number;
}

export interface Fault {
  readonly name: string;
  /** Why it cannot be made on this machine; null when it can. */
  readonly problem?: () => string | null;
  readonly world?: WorldOptions;
  /** Does it. Answers what does not hold besides the count of lines, which is asked afterwards. */
  readonly run: (world: World, options: FaultOptions) => Promise<readonly string[] | undefined>;
}
