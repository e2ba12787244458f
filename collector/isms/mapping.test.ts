// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { parseCatalogue } from './catalogue.ts';
import { parseMap } from './mapping.ts';

const CSF = readFileSync(new URL('../../rules/controls/csf-2.0.jsonl', import.meta.url), 'utf8');
const MAP = readFileSync(new URL('../../rules/controls/map.yml', import.meta.url), 'utf8');
const catalogue = parseCatalogue('csf:2.0', CSF);

const refused = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (isCoded(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'taken';
};

describe('the catalogue of CSF 2.0', () => {
  it('holds 6 functions, 22 categories and 106 subcategories, each under its own', () => {
    const count = (kind: string): number => catalogue.controls.filter((one) => one.kind === kind).length;
    expect([count('function'), count('category'), count('subcategory')]).toEqual([6, 22, 106]);
    expect(catalogue.byRef.get('csf:2.0/PR.AA-05')).toMatchObject({ id: 'PR.AA-05', parent: 'csf:2.0/PR.AA', kind: 'subcategory' });
    expect(catalogue.byRef.get('csf:2.0/GV')).toMatchObject({ parent: null, title: 'GOVERN' });
  });

  it('is refused when it is cut short, doubled or no JSON, with the line', () => {
    const lines = CSF.trim().split('\n');
    expect(refused(() => parseCatalogue('csf:2.0', lines.slice(0, -1).join('\n')))).toContain('105 subcategories');
    expect(refused(() => parseCatalogue('csf:2.0', [...lines, lines[5]].join('\n')))).toContain('line 135: GV.OC-04 stands twice');
    expect(refused(() => parseCatalogue('csf:2.0', `${lines[0]}\n{"id":`))).toContain('CATALOGUE_BAD csf-2.0.jsonl, line 2: it is no JSON');
  });
});

describe('the mapping of checks', () => {
  const map = parseMap(MAP, 'map.yml', catalogue);

  it('names only subcategories that exist, each with relationship and reason', () => {
    for (const { control, reason } of map.mappings) {
      expect(catalogue.byRef.get(control)?.kind).toBe('subcategory');
      expect(reason.length).toBeGreaterThan(20);
    }
    expect(map.ofCheck.get('ssh-root-login-disabled')?.map(({ control }) => control)).toEqual(['csf:2.0/PR.AA-05', 'csf:2.0/PR.PS-01']);
  });

  it('claims of no check that it is all of a control', () => {
    expect(new Set(map.mappings.map(({ relationship }) => relationship))).toEqual(new Set(['subset-of', 'intersects-with']));
  });

  it('is refused with the line of what is wrong', () => {
    const of = (group: string): string => refused(() => parseMap(`groups:\n  - ${group}\n`, 'map.yml', catalogue));
    expect(of('{ control: PR.AA-99, relationship: subset-of, reason: r, checks: [a] }')).toContain(
      'MAP_BAD map.yml, line 2: PR.AA-99 is no subcategory',
    );
    expect(of('{ control: PR.AA-05, relationship: covers, reason: r, checks: [a] }')).toContain('the relationship is one of');
    expect(of('{ control: PR.AA-05, relationship: subset-of, checks: [a] }')).toContain('a group says why');
    expect(of('{ control: PR.AA-05, relationship: subset-of, reason: r, checks: [a, a] }')).toContain(
      'a is mapped to csf:2.0/PR.AA-05 twice',
    );
    expect(of('{ control: PR.AA-05, relationship: subset-of, reason: r, checks: [a], weight: 3 }')).toContain('"weight" is no key');
    expect(refused(() => parseMap('groups: 3', 'map.yml', catalogue))).toContain('no list of groups');
  });
});
