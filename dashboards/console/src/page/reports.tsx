// SPDX-License-Identifier: Apache-2.0
/**
 * The archive of weekly reports: each with its headline, revision and hashes, opened in the page or as the file it is.
 * Input: a week from the address. Output: a list and the report in a sheet that may run nothing.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useSearchParams } from 'react-router';
import type { Me } from '../api/calls.ts';
import { makeReport, reports } from '../api/ground.ts';
import { Copy } from '../part/copy.tsx';
import { ProblemLine, Sentence } from '../part/problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { useToast } from '../part/toast.tsx';
import { plural } from '../part/words.ts';
import '../look/ground.css';

const fileOf = (week: string, format: 'html' | 'text' | 'json'): string => `/api/v1/reports/${encodeURIComponent(week)}?format=${format}`;

export const ReportsPage = ({ who }: { readonly who: Me }): ReactNode => {
  const [params, setParams] = useSearchParams();
  const client = useQueryClient();
  const toast = useToast();
  const found = useQuery({ queryKey: ['reports'], queryFn: reports });
  const [busy, setBusy] = useState(false);
  const mayWrite = who.permissions.includes('report.write');
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={6} />;
  const { items, total } = found.data;
  const open = items.find(({ week }) => week === params.get('week'));
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      const made = await makeReport();
      toast({
        text: made.fresh
          ? `The report of ${made.week} is made.`
          : `The report of ${made.week} stands already; nothing it rests on changed.`,
      });
      await client.invalidateQueries({ queryKey: ['reports'] });
      setParams({ week: made.week });
    } catch (error) {
      toast({ text: error instanceof Error ? error.message : 'It was not made.', bad: true });
    }
    setBusy(false);
  };
  return (
    <div className="stack">
      <Section
        title={plural(total, 'weekly report')}
        note={
          mayWrite ? (
            <button type="button" className="ctl" disabled={busy} onClick={() => void make()}>
              {busy ? 'Making it' : 'Make last week’s'}
            </button>
          ) : undefined
        }
        coverage="each signed; a week whose inputs changed gets a revision"
      >
        {items.length === 0 ? (
          <Empty>No report yet. The first is written on Monday morning; one of last week can be made now.</Empty>
        ) : (
          <table className="rows">
            <thead>
              <tr>
                <th scope="col">Week</th>
                <th scope="col">Headline</th>
                <th scope="col" className="wide">
                  Made
                </th>
                <th scope="col" className="wide">
                  Revision
                </th>
                <th scope="col" className="wide">
                  SHA-256 of the figures
                </th>
                <th scope="col" className="right">
                  As a file
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <tr key={`${one.week} ${one.revision}`} className={one === open ? 'open' : undefined}>
                  <td className="mono">{one.week}</td>
                  <td>
                    <button
                      type="button"
                      className="plain-button serif title"
                      aria-pressed={one === open}
                      onClick={() => setParams(one === open ? {} : { week: one.week })}
                    >
                      {shown(one.headline)}
                    </button>
                    {one.revised.length === 0 ? null : <div className="small third">revised: {shown(one.revised.join(', '))}</div>}
                  </td>
                  <td className="wide">
                    <Time at={one.made} />
                  </td>
                  <td className="wide">{one.revision}</td>
                  <td className="wide mono" title={one.hashes.json}>
                    {one.hashes.json.slice(0, 12)} <Copy text={one.hashes.json} label="copy" />
                  </td>
                  <td className="right nowrap">
                    {(['html', 'text', 'json'] as const).map((format) => (
                      <a key={format} className="evidence file" href={fileOf(one.week, format)} target="_blank" rel="noreferrer">
                        {format}
                      </a>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <p className="small third more">
          <Sentence text="`vigil verify` checks signature and hashes of a report away from this collector; print the HTML for paper." />
        </p>
      </Section>
      {open ? (
        <Section title={`Report of ${open.week}`} coverage={<span className="mono">{open.key.slice(0, 16)}</span>}>
          <iframe className="sheet" title={`Report of ${open.week}`} sandbox="" src={fileOf(open.week, 'html')} />
        </Section>
      ) : null}
    </div>
  );
};
