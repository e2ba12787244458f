// SPDX-License-Identifier: Apache-2.0
/**
 * Tokens that let agents in: made with a number of uses and an end, the one line to paste shown once, taken back.
 * Input: the person. Output: a section; nothing to press for who may not.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Me } from '../api/calls.ts';
import { type EnrolTokenItem, enrolTokens, type MadeToken, makeEnrolToken, revokeEnrolToken } from '../api/system.ts';
import { ChoiceField } from './choice-field.tsx';
import { FormDialog } from './dialog.tsx';
import { Once } from './once.tsx';
import { ProblemLine } from './problem.tsx';
import { Empty, Section } from './section.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { useToast } from './toast.tsx';
import { TextField } from './verdict-fields.tsx';
import { capital, countText, plural } from './words.ts';

const ENDS = [
  { value: '1h', label: 'in an hour' },
  { value: '24h', label: 'in a day' },
  { value: '7d', label: 'in a week' },
  { value: '30d', label: 'in 30 days' },
] as const;

const MakeDialog = ({ onMade, onLeave }: { readonly onMade: (made: MadeToken) => void; readonly onLeave: () => void }): ReactNode => {
  const [uses, setUses] = useState('1');
  const [expires, setExpires] = useState<(typeof ENDS)[number]['value']>('24h');
  const [group, setGroup] = useState('');
  const count = Number(uses);
  const fits = Number.isInteger(count) && count >= 1 && count <= 10_000;
  return (
    <FormDialog
      title="A token for new agents"
      act={fits ? `Make a token for ${plural(count, 'host')}` : 'Make a token'}
      disabled={!fits}
      onAct={async () => onMade(await makeEnrolToken({ uses: count, expires, ...(group.trim() === '' ? {} : { group: group.trim() }) }))}
      onLeave={onLeave}
    >
      <TextField label="How many hosts may use it" value={uses} onChange={setUses} rows={1} />
      <ChoiceField label="It ends" value={expires} options={ENDS} onChange={setExpires} />
      <TextField label="Group of the hosts, where you keep any" value={group} onChange={setGroup} rows={1} />
    </FormDialog>
  );
};

export const EnrolSection = ({ who }: { readonly who: Me }): ReactNode => {
  const client = useQueryClient();
  const toast = useToast();
  const found = useQuery({ queryKey: ['agent-tokens'], queryFn: enrolTokens });
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeToken | null>(null);
  const mayWrite = who.permissions.includes('fleet.write');
  const items = [...(found.data?.items ?? [])].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const open = items.filter(({ state }) => state === 'open').length;
  const revoke = async (one: EnrolTokenItem): Promise<void> => {
    try {
      await revokeEnrolToken(one.id);
      toast({ text: 'Nobody comes in with that token any more. Hosts that did stay.' });
    } catch (error) {
      toast({ text: error instanceof Error ? error.message : 'It was not revoked.', bad: true });
    }
    await client.invalidateQueries({ queryKey: ['agent-tokens'] });
  };
  return (
    <Section
      title="Tokens for new agents"
      note={
        mayWrite ? (
          <button type="button" className="ctl" onClick={() => setMaking(true)}>
            Make a token…
          </button>
        ) : undefined
      }
      coverage={`${open} open of ${countText(items.length)}`}
    >
      {made ? (
        <Once
          title="Paste this on the new host, as root or as a plain user"
          text={made.line ?? made.token}
          hint="It holds the token and is not shown again."
          onDone={() => setMade(null)}
        />
      ) : null}
      <ProblemLine error={found.error} />
      {items.length === 0 ? (
        <Empty>No token yet. A token lets so many agents in, and ends by itself.</Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Made</th>
              <th scope="col" className="wide">
                By
              </th>
              <th scope="col" className="wide">
                Group
              </th>
              <th scope="col">Used</th>
              <th scope="col">Ends</th>
              <th scope="col">State</th>
              <th scope="col">
                <span className="hidden-visually">Acts</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.id}>
                <td>
                  <Time at={one.createdAt} />
                </td>
                <td className="wide">{shown(one.createdBy)}</td>
                <td className="wide">{shown(one.group)}</td>
                <td>
                  {countText(one.used)} of {countText(one.uses)}
                </td>
                <td>
                  <Time at={one.expiresAt} />
                </td>
                <td>{capital(one.state)}</td>
                <td className="right">
                  {mayWrite && one.state === 'open' ? (
                    <button type="button" className="evidence" onClick={() => void revoke(one)}>
                      revoke
                    </button>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {making ? (
        <MakeDialog
          onMade={(one) => {
            setMade(one);
            void client.invalidateQueries({ queryKey: ['agent-tokens'] });
          }}
          onLeave={() => setMaking(false)}
        />
      ) : null}
    </Section>
  );
};
