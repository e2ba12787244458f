// SPDX-License-Identifier: Apache-2.0
/**
 * The line at the foot of every page: what Vigil can see right now, and the collector's clock.
 * Input: the status, asked every five seconds. Output: hosts, sources, lag, loss, rules, time; or since when nothing answers.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useContext, useEffect, useState } from 'react';
import { status } from '../api/calls.ts';
import { StateMark } from './marks.tsx';
import { offsetText, timeAs, ZoneContext } from './time.tsx';
import { countText, spanText } from './words.ts';

/** A lag beyond this is worth a mark: a search may miss what was just written. */
const LAG_WARN_MS = 10_000;

export const SightLine = (): ReactNode => {
  const { data, isError, dataUpdatedAt } = useQuery({ queryKey: ['status'], queryFn: status, refetchInterval: 5_000 });
  const zone = useContext(ZoneContext);
  if (isError || !data)
    return (
      <footer className="sight">
        <span role="status">
          <StateMark state={isError ? 'bad' : 'unknown'} label={isError ? 'Not reachable' : 'Not known yet'} />
          {!isError
            ? 'Asking the collector'
            : dataUpdatedAt === 0
              ? 'The collector does not answer'
              : `The collector does not answer; what is shown is from ${timeAs('clock', dataUpdatedAt, zone)}`}
        </span>
      </footer>
    );
  const { hosts, sources, lag, lost, records, rules } = data;
  const all = hosts.reporting === hosts.expected;
  const slow = Math.max(lag.storeMs, lag.detectMs) > LAG_WARN_MS;
  return (
    <footer className="sight">
      <span>
        {hosts.expected === 0 ? (
          <>
            <StateMark state="unknown" label="Not known" />
            No host enrolled
          </>
        ) : (
          <>
            <StateMark state={all ? 'good' : 'warn'} label={all ? 'All hosts report' : 'A host is silent'} />
            Hosts <b>{`${countText(hosts.reporting)} of ${countText(hosts.expected)}`}</b> reporting
          </>
        )}
      </span>
      <span>
        {sources.unreadable > 0 ? <StateMark state="warn" label="A source is not read" /> : null}
        Sources <b>{`${countText(sources.reading)} of ${countText(sources.reading + sources.unreadable)}`}</b> read
      </span>
      <span>
        {slow ? <StateMark state="warn" label="Behind" /> : null}
        Search lag <b>{spanText(lag.storeMs)}</b>
      </span>
      <span className="roomy">
        Detect lag <b>{spanText(lag.detectMs)}</b>
      </span>
      <span>
        {lost === 0 ? null : <StateMark state="warn" label="Records were lost" />}
        Lost <b>{countText(lost)}</b> of {countText(records + lost)} records
      </span>
      <span>
        {rules.refused === 0 ? null : <StateMark state="warn" label="A rule is not loaded" />}
        Rules <b>{countText(rules.loaded)}</b> of {countText(rules.loaded + rules.refused)} loaded
      </span>
      <span>
        <Clock offsetMs={Date.parse(data.time) - dataUpdatedAt} />
      </span>
    </footer>
  );
};

/** The collector's time, second by second. */
const Clock = ({ offsetMs }: { readonly offsetMs: number }): ReactNode => {
  const zone = useContext(ZoneContext);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const at = now + offsetMs;
  return (
    <time dateTime={new Date(at).toISOString()} title="The collector’s clock">
      <span className="roomy">{timeAs('day', at, zone)} </span>
      {timeAs('clock', at, zone)} {offsetText(at, zone)}
    </time>
  );
};
