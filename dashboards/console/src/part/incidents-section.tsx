// SPDX-License-Identifier: Apache-2.0
/**
 * The open incidents, worst first; each opens its chain down to the raw lines.
 * Input: incidents. Output: a table, or that there is none.
 */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { IncidentItem } from '../api/calls.ts';
import { SeverityMark } from './marks.tsx';
import { Blind, Empty, Section } from './section.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { ageText, capital, plural } from './words.ts';

/** More than these are one click away, not on the first page. */
const SHOWN = 6;

interface Props {
  readonly items: readonly IncidentItem[];
  readonly total: number;
  /** No host reports, so that nothing can be noticed. */
  readonly blind: boolean;
}

export const IncidentsSection = ({ items, total, blind }: Props): ReactNode => {
  const oldest = items.reduce((least, { detected }) => Math.min(least, Date.parse(detected)), Date.now());
  return (
    <Section
      title="Open incidents"
      {...(total > 0 ? { note: `oldest ${ageText(Date.now() - oldest)}` } : {})}
      coverage={items.length === 0 && blind ? 'not known' : total > SHOWN ? `worst ${SHOWN} of ${total}` : `${total} open`}
    >
      {items.length === 0 && blind ? (
        <Blind>Not known. No host reports, so nothing can be noticed.</Blind>
      ) : items.length === 0 ? (
        <Empty>No open incidents. One opens by itself when an alert is high or critical, or when alerts belong together.</Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col" style={{ width: 62 }}>
                Number
              </th>
              <th scope="col" style={{ width: 92 }}>
                Severity
              </th>
              <th scope="col">What happened</th>
              <th scope="col" className="wide">
                State
              </th>
              <th scope="col" className="right wide">
                Last sign
              </th>
            </tr>
          </thead>
          <tbody>
            {items.slice(0, SHOWN).map((one) => (
              <tr key={one.id}>
                <td>
                  <Link className="mono" to={`/incidents/${one.reference}`}>
                    {one.reference}
                  </Link>
                </td>
                <td>
                  <SeverityMark level={one.severity} />
                </td>
                <td>
                  <span className="serif title">{shown(one.title)}</span>
                  <div className="small third">
                    <Link className="evidence" to={`/incidents/${one.reference}`}>
                      {plural(one.alerts.length, 'alert')}
                    </Link>{' '}
                    {shown(one.why[0] ?? '')}
                  </div>
                </td>
                <td className="wide">{capital(one.state)}</td>
                <td className="right wide">
                  <Time at={one.last} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
};
