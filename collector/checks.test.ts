// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../test/support/repository.ts';
import { readChecks } from './checks.ts';
import { parseCatalogue } from './isms/catalogue.ts';
import { parseMap } from './isms/mapping.ts';
import { parseRegister } from './isms/register.ts';

const RULES = join(ROOT, 'rules');
const read = (name: string): string => readFileSync(join(RULES, name), 'utf8');

describe('the checks that come with Vigil', async () => {
  const checks = await readChecks(RULES);
  const catalogue = parseCatalogue('csf:2.0', read('controls/csf-2.0.jsonl'));
  const map = parseMap(read('controls/map.yml'), 'map.yml', catalogue);

  it('each speak for a control, and the map names no other', () => {
    expect(checks.size).toBeGreaterThan(100);
    expect([...checks.keys()].filter((id) => !map.ofCheck.has(id))).toEqual([]);
    expect([...map.ofCheck.keys()].filter((id) => !checks.has(id))).toEqual([]);
    expect([...map.once].filter((id) => !checks.has(id))).toEqual([]);
  });

  it('stand under risks only where they exist', () => {
    for (const risk of parseRegister(read('risks/proposed.yml'), 'proposed.yml', catalogue, 0 as never))
      expect(risk.checks.filter((id) => !checks.has(id))).toEqual([]);
  });

  it('each have a title and a fix', () => {
    for (const { id, title, fix } of checks.values()) {
      expect(title, id).not.toBe('');
      expect(fix, id).not.toBe('');
    }
  });
});
