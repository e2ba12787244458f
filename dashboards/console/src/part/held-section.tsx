// SPDX-License-Identifier: Apache-2.0
/**
 * Agents that came with an older key: what each sent since, and whether it is the host or a copy of it.
 * Input: the held agents, whether this person may decide, what to do. Output: a section; nothing where none is held.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type AgentItem, discardHeld, heldLines, releaseHeld } from '../api/system.ts';
import { StateMark } from './marks.tsx';
import { ProblemLine } from './problem.tsx';
import { Section, Skeleton } from './section.tsx';
import { shown } from './shown.ts';
import { plural } from './words.ts';

/** What one held agent sent, stream by stream. Looking is audited, so it waits to be asked for. */
const Sent = ({ id }: { readonly id: string }): ReactNode => {
  const found = useQuery({ queryKey: ['agents', 'held', id], queryFn: () => heldLines(id) });
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={2} />;
  if (found.data.items.length === 0) return <p className="second">It has sent nothing yet.</p>;
  return found.data.items.map((one) => (
    <div key={`${one.key} ${one.stream} ${one.from}`}>
      <p className="second">
        {plural(one.records, 'line')} of <span className="mono">{shown(one.stream)}</span>: {shown(one.reason)}
      </p>
      <ol className="lines">
        {one.lines.map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines may repeat, and their order does not change
          <li key={at} className="mono">
            {shown(line)}
          </li>
        ))}
      </ol>
    </div>
  ));
};

export const HeldSection = ({
  held,
  mayWrite,
  act,
}: {
  readonly held: readonly AgentItem[];
  readonly mayWrite: boolean;
  readonly act: (run: () => Promise<unknown>, done: string) => Promise<void>;
}): ReactNode => {
  const [open, setOpen] = useState<string | null>(null);
  if (held.length === 0) return null;
  return (
    <Section title="Held until somebody decides" coverage={plural(held.length, 'agent')}>
      <p className="second">
        An older key came again: a copy of the machine, or the machine put back from one. What it sends waits and is not the host’s.
      </p>
      <ul className="gaps">
        {held.map((one) => (
          <li key={one.id}>
            <StateMark state="warn" label="Held" />
            <div>
              <b>{shown(one.host)}</b> <span className="mono third">{one.id}</span>
              {one.held ? <span className="second"> from {shown(one.held.from)}</span> : null}
              {mayWrite ? (
                <p className="acts">
                  <button
                    type="button"
                    className="ctl"
                    onClick={() => void act(() => releaseHeld(one.id), 'It is the host again; what waited is taken in.')}
                  >
                    It is the host: release
                  </button>
                  <button
                    type="button"
                    className="ctl"
                    onClick={() => void act(() => discardHeld(one.id), 'It was a copy; what it sent is kept apart.')}
                  >
                    It is a copy: discard
                  </button>
                  <button
                    type="button"
                    className="evidence"
                    aria-expanded={open === one.id}
                    onClick={() => setOpen(open === one.id ? null : one.id)}
                  >
                    what it sent
                  </button>
                </p>
              ) : null}
              {open === one.id ? <Sent id={one.id} /> : null}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
};
