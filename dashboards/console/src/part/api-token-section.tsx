// SPDX-License-Identifier: Apache-2.0
/**
 * Tokens by which programs speak for a person, never with more rights than that one has.
 * Input: the person. Output: a section; a token is shown once.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Me } from '../api/calls.ts';
import { apiTokens, makeApiToken, type Role, revokeApiToken } from '../api/system.ts';
import { ChoiceField } from './choice-field.tsx';
import { FormDialog } from './dialog.tsx';
import { Once } from './once.tsx';
import { usePeople } from './people.ts';
import { ProblemLine } from './problem.tsx';
import { Empty, Section } from './section.tsx';
import { shown } from './shown.ts';
import { Time } from './time.tsx';
import { useToast } from './toast.tsx';
import { TextField } from './verdict-fields.tsx';
import { capital, countText } from './words.ts';

const ROLES = [
  { value: 'auditor', label: 'Auditor: reads' },
  { value: 'analyst', label: 'Analyst: reads and triages' },
  { value: 'admin', label: 'Admin: everything' },
] as const;

const ENDS = [
  { value: '7d', label: 'in a week' },
  { value: '30d', label: 'in 30 days' },
  { value: '90d', label: 'in 90 days' },
  { value: '365d', label: 'in a year' },
] as const;

const MakeDialog = ({ onMade, onLeave }: { readonly onMade: (token: string) => void; readonly onLeave: () => void }): ReactNode => {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('auditor');
  const [expires, setExpires] = useState<(typeof ENDS)[number]['value']>('90d');
  return (
    <FormDialog
      title="A token for a program"
      act="Make the token"
      disabled={name.trim() === ''}
      onAct={async () => onMade((await makeApiToken({ name: name.trim(), role, expires })).token)}
      onLeave={onLeave}
    >
      <TextField label="What it is for" value={name} onChange={setName} rows={1} />
      <ChoiceField label="Role" value={role} options={ROLES} onChange={setRole} />
      <ChoiceField label="It ends" value={expires} options={ENDS} onChange={setExpires} />
    </FormDialog>
  );
};

export const ApiTokenSection = ({ who }: { readonly who: Me }): ReactNode => {
  const client = useQueryClient();
  const toast = useToast();
  const { nameOf } = usePeople();
  const found = useQuery({ queryKey: ['api-tokens'], queryFn: apiTokens });
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const mayWrite = who.permissions.includes('user.write');
  const items = found.data?.items ?? [];
  const living = items.filter(({ revokedAt }) => revokedAt === undefined);
  const renew = (): void => void client.invalidateQueries({ queryKey: ['api-tokens'] });
  return (
    <Section
      title="Tokens for programs"
      note={
        mayWrite ? (
          <button type="button" className="ctl" onClick={() => setMaking(true)}>
            Make a token…
          </button>
        ) : undefined
      }
      coverage={`${countText(living.length)} of ${countText(items.length)} stand`}
    >
      {made === null ? null : <Once title="The token" text={made} hint="It is not shown again." onDone={() => setMade(null)} />}
      <ProblemLine error={found.error} />
      {items.length === 0 ? (
        <Empty>No token. A program that reads alerts or takes backups gets one of its own.</Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">What for</th>
              <th scope="col">Role</th>
              <th scope="col" className="wide">
                Of
              </th>
              <th scope="col">Ends</th>
              <th scope="col">
                <span className="hidden-visually">Acts</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.id}>
                <td>{shown(one.name)}</td>
                <td>{capital(one.role)}</td>
                <td className="wide">{nameOf(one.owner)}</td>
                <td>
                  {one.revokedAt !== undefined ? (
                    <span className="third">
                      revoked <Time at={one.revokedAt} />
                    </span>
                  ) : one.expiresAt === null ? (
                    'never'
                  ) : (
                    <Time at={one.expiresAt} />
                  )}
                </td>
                <td className="right">
                  {mayWrite && one.revokedAt === undefined ? (
                    <button
                      type="button"
                      className="evidence"
                      onClick={() =>
                        void revokeApiToken(one.id).then(
                          () => {
                            toast({ text: `${one.name} is let in no longer.` });
                            renew();
                          },
                          (error: unknown) => toast({ text: error instanceof Error ? error.message : 'It was refused.', bad: true }),
                        )
                      }
                    >
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
          onMade={(token) => {
            setMade(token);
            renew();
          }}
          onLeave={() => setMaking(false)}
        />
      ) : null}
    </Section>
  );
};
