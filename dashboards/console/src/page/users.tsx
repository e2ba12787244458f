// SPDX-License-Identifier: Apache-2.0
/**
 * People and what each role may do: users made, changed, switched off, given a new password; tokens for programs.
 * Input: the person. Output: rows and acts; a right that is taken away is gone everywhere at once.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Me } from '../api/calls.ts';
import { addUser, changeUser, type Role, resetUser, roles, type UserItem, users } from '../api/system.ts';
import { ApiTokenSection } from '../part/api-token-section.tsx';
import { ChoiceField } from '../part/choice-field.tsx';
import { FormDialog } from '../part/dialog.tsx';
import { StateMark } from '../part/marks.tsx';
import { Once } from '../part/once.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { useToast } from '../part/toast.tsx';
import { TextField } from '../part/verdict-fields.tsx';
import { capital, countText, plural } from '../part/words.ts';
import '../look/ground.css';

const ROLES = [
  { value: 'analyst', label: 'Analyst: reads all, triages alerts and incidents, assesses risks' },
  { value: 'auditor', label: 'Auditor: reads all, changes nothing' },
  { value: 'admin', label: 'Admin: everything' },
] as const satisfies readonly { readonly value: Role; readonly label: string }[];

const UserDialog = ({
  onMade,
  onLeave,
}: {
  readonly onMade: (name: string, password: string) => void;
  readonly onLeave: () => void;
}): ReactNode => {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('analyst');
  return (
    <FormDialog
      title="A new user"
      act={`Add ${name.trim() === '' ? 'the user' : name.trim()}`}
      disabled={name.trim() === ''}
      onAct={async () => {
        const made = await addUser(name.trim(), role);
        onMade(made.name, made.oneTimePassword ?? '');
      }}
      onLeave={onLeave}
    >
      <TextField label="Name" value={name} onChange={setName} rows={1} />
      <ChoiceField label="Role" value={role} options={ROLES} onChange={setRole} />
    </FormDialog>
  );
};

export const UsersPage = ({ who }: { readonly who: Me }): ReactNode => {
  const client = useQueryClient();
  const toast = useToast();
  const found = useQuery({ queryKey: ['users'], queryFn: users });
  const rights = useQuery({ queryKey: ['roles'], queryFn: roles, staleTime: Number.POSITIVE_INFINITY });
  const [adding, setAdding] = useState(false);
  const [once, setOnce] = useState<{ readonly name: string; readonly password: string } | null>(null);
  const mayWrite = who.permissions.includes('user.write');
  const renew = (): void => void client.invalidateQueries({ queryKey: ['users'] });
  const change = async (
    one: UserItem,
    wish: { readonly role?: Role; readonly disabled?: boolean },
    back: typeof wish,
    done: string,
  ): Promise<void> => {
    try {
      await changeUser(one.id, wish);
      toast({ text: done, undo: () => changeUser(one.id, back).then(renew) });
    } catch (error) {
      toast({ text: error instanceof Error ? error.message : 'It was refused.', bad: true });
    }
    renew();
  };
  const reset = async (one: UserItem): Promise<void> => {
    try {
      const made = await resetUser(one.id);
      setOnce({ name: made.name, password: made.oneTimePassword });
    } catch (error) {
      toast({ text: error instanceof Error ? error.message : 'It was refused.', bad: true });
    }
    renew();
  };
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={6} />;
  const items = found.data.items;
  return (
    <div className="stack">
      <Section
        title={plural(items.length, 'user')}
        note={
          mayWrite ? (
            <button type="button" className="ctl" onClick={() => setAdding(true)}>
              Add a user…
            </button>
          ) : undefined
        }
        coverage={`${countText(items.filter(({ disabled }) => !disabled).length)} can sign in`}
      >
        {once ? (
          <Once
            title={`One-time password of ${once.name}`}
            text={once.password}
            hint="It is asked to be changed at the first sign-in, and is not shown again."
            onDone={() => setOnce(null)}
          />
        ) : null}
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Role</th>
              <th scope="col" className="wide">
                Last sign-in
              </th>
              <th scope="col" className="wide">
                Password changed
              </th>
              <th scope="col">State</th>
              <th scope="col">
                <span className="hidden-visually">Acts</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <tr key={one.id}>
                <td className="medium">{shown(one.name)}</td>
                <td>
                  {mayWrite && one.id !== who.id ? (
                    <select
                      className="ctl slim"
                      aria-label={`Role of ${one.name}`}
                      value={one.role}
                      onChange={({ currentTarget }) => {
                        const role = currentTarget.value as Role;
                        void change(one, { role }, { role: one.role }, `${one.name} is ${role} from now on; what they had open is closed.`);
                      }}
                    >
                      {ROLES.map(({ value }) => (
                        <option key={value} value={value}>
                          {capital(value)}
                        </option>
                      ))}
                    </select>
                  ) : (
                    capital(one.role)
                  )}
                </td>
                <td className="wide">{one.lastLogin === undefined ? <span className="third">never</span> : <Time at={one.lastLogin} />}</td>
                <td className="wide">
                  {one.mustChangePassword ? (
                    <span className="third">one-time password, not changed yet</span>
                  ) : (
                    <Time at={one.passwordChangedAt} />
                  )}
                </td>
                <td>
                  <span className="nowrap">
                    <StateMark state={one.disabled ? 'unknown' : 'good'} label={one.disabled ? 'Off' : 'On'} />{' '}
                    {one.disabled ? 'Off' : 'On'}
                  </span>
                </td>
                <td className="right">
                  {mayWrite && one.id !== who.id ? (
                    <span className="acts end">
                      <button type="button" className="evidence" onClick={() => void reset(one)}>
                        new password
                      </button>
                      <button
                        type="button"
                        className="evidence"
                        onClick={() =>
                          void change(
                            one,
                            { disabled: !one.disabled },
                            { disabled: one.disabled },
                            one.disabled ? `${one.name} can sign in again.` : `${one.name} is signed out everywhere and cannot come back.`,
                          )
                        }
                      >
                        {one.disabled ? 'switch on' : 'switch off'}
                      </button>
                    </span>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <ApiTokenSection who={who} />
      <Section title="What each role may do" coverage={rights.data ? plural(rights.data.items.length, 'permission') : 'reading'}>
        <ProblemLine error={rights.error} />
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Permission</th>
              {ROLES.map(({ value }) => (
                <th key={value} scope="col" style={{ width: 84 }}>
                  {capital(value)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rights.data?.items.map((one) => (
              <tr key={one.permission}>
                <td>
                  {one.meaning} <span className="mono third wide">{one.permission}</span>
                </td>
                {ROLES.map(({ value }) => (
                  <td key={value}>
                    {one.roles.includes(value) ? <StateMark state="good" label="may" /> : <span className="third">–</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      {adding ? (
        <UserDialog
          onMade={(name, password) => {
            setOnce({ name, password });
            renew();
          }}
          onLeave={() => setAdding(false)}
        />
      ) : null}
    </div>
  );
};
