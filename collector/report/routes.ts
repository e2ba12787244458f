// SPDX-License-Identifier: Apache-2.0
/**
 * Reports over HTTP: which there are, one in a format, making one.
 * Input: a week, a format. Output: the register as JSON, or the report's own bytes.
 */
import { type Static, Type } from 'typebox';
import { isoTime, minutes } from '../../core/units.ts';
import { Count, closed, listOf, PageQuery, type Route, route, Time } from '../http/route.ts';
import type { ReportEntry } from '../model/report.ts';
import { FORMATS, type Format } from './archive.ts';
import type { ReportDesk } from './desk.ts';

const ReportSchema = Type.Object({
  week: Type.String({ examples: ['2026-W47'] }),
  revision: Count,
  made: Time,
  headline: Type.String(),
  revised: Type.Array(Type.String()),
  hashes: Type.Object({ json: Type.String(), html: Type.String(), text: Type.String() }),
  key: Type.String({ description: 'SHA-256 of the key that signed it' }),
});

const WeekName = Type.String({ maxLength: 40, description: 'an ISO week such as 2026-W47, or `last`' });

const TYPES: Readonly<Record<Format, string>> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
};

const reportJson = (entry: ReportEntry): Static<typeof ReportSchema> => ({
  ...entry,
  made: isoTime(entry.made),
  revised: [...entry.revised],
});

export const reportRoutes = (desk: ReportDesk): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/reports',
    tag: 'report',
    permission: 'report.read',
    summary: 'Reports that were made, newest week first.',
    query: closed(PageQuery),
    answer: listOf(ReportSchema),
    handle: async ({ query }) => {
      const { items, next, total } = await desk.list(query.limit ?? 100, query.after);
      return { body: { items: items.map(reportJson), next, total } };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/reports/:week',
    tag: 'report',
    permission: 'report.read',
    summary: 'One report, its newest revision unless one is named; HTML unless another format is.',
    params: closed({ week: WeekName }),
    query: closed({
      format: Type.Optional(Type.Enum(Object.keys(FORMATS) as Format[])),
      revision: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
    }),
    answer: Type.String(),
    handle: async ({ params, query }) => {
      const format = query.format ?? 'html';
      const { name } = desk.week(params.week === 'last' ? undefined : params.week);
      const { bytes } = await desk.read(name, format, query.revision);
      return { body: bytes.toString('utf8'), type: TYPES[format], framed: format === 'html' };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/reports',
    tag: 'report',
    permission: 'report.write',
    summary: 'Makes the report of a week that is over; where it is made already, a revision if facts came since.',
    timeoutMs: minutes(15),
    body: closed({ week: Type.Optional(WeekName) }),
    answer: Type.Intersect([ReportSchema, Type.Object({ fresh: Type.Boolean() })]),
    handle: async ({ body, actor, from }) => {
      const { entry, fresh } = await desk.make(desk.week(body.week === 'last' ? undefined : body.week), actor, from);
      return { body: { ...reportJson(entry), fresh } };
    },
  }),
];
