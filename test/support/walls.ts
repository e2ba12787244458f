// SPDX-License-Identifier: Apache-2.0
/**
 * The walls: which folder may import which, and through which door each package comes in.
 * Input: docs/architecture.md in words. Output: tables that test/architecture.test.ts executes.
 */
import type { Import, SourceFile } from './repository.ts';
import { importsOf } from './repository.ts';

/** Folder of ours → what it may import besides itself; a target is a folder or a file. The longest match of a path counts. */
const STORE_PORTS = ['collector/store/store.ts', 'collector/store/schema.ts', 'collector/store/joined.ts'];
const NOUNS = ['core', 'collector/model', 'collector/errors.ts'];
const FIGURES = ['detect', 'fleet', 'deadline', 'incident', 'score', 'vulnerability'].map((folder) => `collector/${folder}/figures.ts`);

const stage = NOUNS;
const domain = [...NOUNS, 'collector/query', ...STORE_PORTS];
const edge = ['collector', 'core'];

export const WALLS: Readonly<Record<string, readonly string[] | 'everything'>> = {
  core: [],
  agent: ['core'],
  'collector/model': ['core'],
  'collector/errors.ts': ['core'],
  'collector/config.ts': ['core'],
  'collector/ingest': [...stage, 'collector/journal'],
  'collector/journal': stage,
  'collector/decode': stage,
  'collector/enrich': stage,
  'collector/detect': stage,
  'collector/correlate': stage,
  'collector/facts': domain,
  'collector/query': [...stage, 'collector/http/route.ts'],
  'collector/store': [...stage, 'collector/query'],
  // A backup and the agent's package are archives of the same form.
  'collector/fleet': [...domain, 'collector/backup/tar.ts'],
  'collector/deadline': domain,
  'collector/alert': domain,
  'collector/comment': domain,
  'collector/score': domain,
  'collector/vulnerability': domain,
  'collector/notify': domain,
  'collector/auth': domain,
  'collector/incident': [...domain, 'collector/deadline', 'collector/score'],
  'collector/isms': [...domain, 'collector/deadline', 'collector/score', 'collector/vulnerability'],
  'collector/report': [...domain, 'collector/isms', ...FIGURES],
  'collector/backup': stage,
  'collector/http': edge,
  'collector/cli': edge,
  'collector/pipeline.ts': 'everything',
  'collector/river.ts': 'everything',
  'collector/state.ts': 'everything',
  'collector/commit.ts': 'everything',
  'collector/scoring.ts': 'everything',
  'collector/host-views.ts': 'everything',
  'collector/checks.ts': 'everything',
  'collector/management.ts': 'everything',
  'collector/entity-name.ts': 'everything',
  'collector/collector.ts': 'everything',
  'collector/threads.ts': 'everything',
  'collector/jobs.ts': 'everything',
  'collector/regroup.ts': 'everything',
  'collector/changes.ts': 'everything',
  'collector/own-agent.ts': ['core', 'collector/config.ts', 'collector/fleet'],
  'collector/address.ts': ['core', 'collector/config.ts', 'collector/errors.ts'],
  'collector/doors.ts': 'everything',
  'collector/resume.ts': ['core', 'collector/model', 'collector/journal', 'collector/store/store.ts'],
  'collector/gather.ts': ['core', 'collector/model', 'collector/store/store.ts', 'collector/store/schema.ts'],
  'collector/lag.ts': ['core'],
  'collector/refusals.ts': edge,
  'collector/closers.ts': ['core'],
  'collector/notes.ts': edge,
  'collector/step.ts': edge,
  'collector/folder.ts': ['core', 'collector/errors.ts'],
  'collector/redecode.ts': 'everything',
  'collector/upkeep.ts': 'everything',
  'collector/reports.ts': 'everything',
  'collector/known.ts': 'everything',
  'collector/start.ts': 'everything',
  'collector/health.ts': edge,
  'collector/main.ts': 'everything',
  // The story speaks as agents and people do, through the doors of both programs.
  demo: ['core', 'agent', 'collector'],
  'collector/cli/run.ts': [...edge, 'demo'],
  dashboards: [],
  test: 'everything',
  bench: 'everything',
};

/** What `routes.ts` of a folder may import besides: how a route is declared, and the schema language. */
const ROUTE_EXTRAS = ['collector/http/route.ts'];

/** Package → the files it may stand in, by prefix or ending. A package that is not named here may stand nowhere. */
export const DOORS: Readonly<Record<string, readonly string[]>> = {
  fastify: ['collector/http/', 'routes.ts'],
  '@fastify/cookie': ['collector/http/'],
  typebox: ['collector/', 'test/'],
  pino: ['core/log.ts'],
  yaml: ['core/yaml.ts'],
  '@duckdb/node-api': ['collector/store/embedded/engine/', 'test/', 'bench/', 'collector/query/'],
  '@peculiar/x509': ['collector/fleet/', 'test/', 'agent/', 'bench/'],
  'reflect-metadata': ['collector/fleet/', 'test/', 'agent/', 'bench/'],
  re2js: ['collector/detect/sigma/'],
  commander: ['collector/cli/', 'collector/main.ts'],
  'node-cron': ['collector/deadline/schedule.ts'],
  chokidar: ['agent/source/watch.ts'],
  systeminformation: ['agent/source/inventory/'],
  'prom-client': ['collector/http/'],
  vite: ['collector/http/build.ts', 'dashboards/', 'test/', 'vitest.config.ts'],
  vitest: ['.test.ts', '.contract.ts', 'test/'],
  'fast-check': ['.test.ts', 'test/'],
  'playwright-core': ['test/'],
  '@axe-core/playwright': ['test/'],
};

/** Packages that only tests may use where their door names a folder of the product. */
const TEST_ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  '@peculiar/x509': ['agent/'],
  'reflect-metadata': ['agent/'],
  '@duckdb/node-api': ['collector/query/'],
};

const under = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

const wallOf = (path: string): string | undefined =>
  Object.keys(WALLS)
    .filter((folder) => under(path, folder))
    .sort((a, b) => b.length - a.length)[0];

const isTest = (path: string): boolean => /\.(test|contract)\.ts$/.test(path) || path.startsWith('test/') || path.startsWith('bench/');

/** Every import that breaks a wall or a door, as a sentence that says where, why and what to do. */
export const brokenWalls = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap((file) => importsOf(file).flatMap((one) => judge(one)));

const judge = (one: Import): string[] => {
  const at = `${one.from}:${one.line}`;
  if (one.target !== undefined) {
    if (!/\.(ts|tsx|js|json|css)$/.test(one.specifier))
      return [`${at} imports '${one.specifier}': a relative import ends in .ts. Write the ending.`];
    if (one.specifier.endsWith('.js') && !one.from.startsWith('bin/'))
      return [`${at} imports '${one.specifier}': the file is TypeScript. End the path in .ts.`];
  }
  if (one.pkg !== undefined) return judgePackage(one, at);
  if (one.target === undefined || isTest(one.from)) return [];
  const wall = wallOf(one.from);
  if (wall === undefined) return [`${at}: no wall is declared for this file. Name it in test/support/walls.ts.`];
  const allowed = WALLS[wall] as readonly string[] | 'everything';
  if (allowed === 'everything' || under(one.target, wall)) return [];
  const all = one.from.endsWith('routes.ts') ? [...allowed, ...ROUTE_EXTRAS] : allowed;
  if (all.some((folder) => under(one.target as string, folder))) return [];
  return [
    `${at} imports ${one.target}: ${wall} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}. Take it as an argument, or move the shape to collector/model.`,
  ];
};

const judgePackage = (one: Import, at: string): string[] => {
  const pkg = one.pkg as string;
  const doors = DOORS[pkg];
  const fits = (door: string): boolean =>
    door.startsWith('.') || door === 'routes.ts' ? one.from.endsWith(door) : one.from.startsWith(door);
  if (!doors)
    return one.from.startsWith('dashboards/')
      ? []
      : [`${at} imports ${pkg}, which has no door. Give it one in test/support/walls.ts and a reason in docs/dependencies.md.`];
  if (!doors.some(fits)) return [`${at} imports ${pkg}, whose door is ${doors.join(', ')}. Go through that.`];
  const onlyTests = TEST_ONLY_IN[pkg]?.some((folder) => one.from.startsWith(folder)) && !isTest(one.from);
  return onlyTests ? [`${at} imports ${pkg}, which only tests may use there.`] : [];
};
