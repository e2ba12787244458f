// SPDX-License-Identifier: Apache-2.0
/** Targets of incidents are settings: taken as written, 0s is none, a wrong one is refused by its key. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { removeDir, tempDir } from '../../test/support/vigil.ts';
import { COLLECTOR_SETTINGS } from '../config.ts';
import { targetsOf } from './targets.ts';

const MINUTE = 60_000;
const configOf = (yaml: string) => {
  const dir = tempDir();
  try {
    const file = join(dir, 'vigil.yml');
    writeFileSync(file, yaml);
    return loadConfig(COLLECTOR_SETTINGS, { env: {}, file }).config;
  } finally {
    removeDir(dir);
  }
};

describe('targets of incidents', () => {
  it('are by severity and step, without one where nobody wants any', () => {
    const targets = targetsOf(configOf(''));
    expect(targets.acknowledge).toEqual({
      critical: 30 * MINUTE,
      high: 240 * MINUTE,
      medium: 1_440 * MINUTE,
      low: 4_320 * MINUTE,
      informational: null,
    });
    expect(targets.contain).toMatchObject({ medium: null, low: null });
  });

  it('are what an organisation says of itself', () => {
    const targets = targetsOf(configOf('targets:\n  acknowledge:\n    critical: 10m\n    high: 0s\n'));
    expect(targets.acknowledge).toMatchObject({ critical: 10 * MINUTE, high: null, medium: 1_440 * MINUTE });
  });

  it('are refused by their key when they are no times', () => {
    expect(() => configOf('targets.resolve.low: soon\n')).toThrow(expect.objectContaining({ code: 'CONFIG_BAD_VALUE' }));
    expect(() => configOf('targets.resolve.low: soon\n')).toThrow('targets.resolve.low');
    expect(() => configOf('targets.resolve.lowest: 3d\n')).toThrow('targets.resolve.low');
  });
});
