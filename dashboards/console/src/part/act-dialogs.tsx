// SPDX-License-Identifier: Apache-2.0
/**
 * The dialogs of triage: each asks only what its act needs, and its button names the result.
 * Input: what it is about, an act. Output: the act with its values.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { incidents } from '../api/calls.ts';
import type { Person } from '../api/triage.ts';
import { ConflictLine, isConflict } from './conflict.tsx';
import { FormDialog } from './dialog.tsx';
import { TextField, VerdictField } from './verdict-fields.tsx';
import { VERDICTS, type Verdict } from './verdicts.ts';

interface Shared {
  /** What the act is about, as it stands in sentences. */
  readonly name: string;
  readonly onLeave: () => void;
  /** Steps people took, for the sentence that says who was first. */
  readonly steps?: readonly { readonly at: string; readonly by: string; readonly to: string }[];
  readonly nameOf?: (id: string) => string;
}

const conflictIn =
  ({ name, steps = [], nameOf = (id) => id }: Shared) =>
  (error: unknown): ReactNode =>
    isConflict(error) ? (
      <ConflictLine name={name} step={[...steps].sort((a, b) => (a.at < b.at ? 1 : -1))[0]} nameOf={nameOf} />
    ) : undefined;

export const CloseDialog = ({
  onClose,
  needsReason = false,
  title,
  ...shared
}: Shared & {
  readonly onClose: (verdict: Verdict, reason: string) => Promise<unknown>;
  readonly needsReason?: boolean;
  readonly title?: string;
}): ReactNode => {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [reason, setReason] = useState('');
  return (
    <FormDialog
      title={title ?? `Close ${shared.name}`}
      act={VERDICTS.find(({ value }) => value === verdict)?.act ?? 'Close'}
      disabled={verdict === null || (needsReason && reason.trim() === '')}
      onAct={() => onClose(verdict ?? 'benign', reason.trim())}
      onLeave={shared.onLeave}
      about={conflictIn(shared)}
    >
      <VerdictField verdict={verdict} onVerdict={setVerdict} />
      <TextField label={needsReason ? 'Why' : 'Why, in a sentence that the next person understands'} value={reason} onChange={setReason} />
    </FormDialog>
  );
};

export const ReasonDialog = ({
  title,
  act,
  onReason,
  children,
  ...shared
}: Shared & {
  readonly title: string;
  readonly act: string;
  readonly onReason: (reason: string) => Promise<unknown>;
  readonly children?: ReactNode;
}): ReactNode => {
  const [reason, setReason] = useState('');
  return (
    <FormDialog
      title={title}
      act={act}
      disabled={reason.trim() === ''}
      onAct={() => onReason(reason.trim())}
      onLeave={shared.onLeave}
      about={conflictIn(shared)}
    >
      {children}
      <TextField label="Why" value={reason} onChange={setReason} />
    </FormDialog>
  );
};

export const CommentDialog = ({ onSay, ...shared }: Shared & { readonly onSay: (text: string) => Promise<unknown> }): ReactNode => {
  const [text, setText] = useState('');
  return (
    <FormDialog
      title={`A note on ${shared.name}`}
      act="Add the note"
      disabled={text.trim() === ''}
      onAct={() => onSay(text.trim())}
      onLeave={shared.onLeave}
    >
      <TextField label="It stays with your name; nobody changes it later" value={text} onChange={setText} rows={5} />
    </FormDialog>
  );
};

export const AssignDialog = ({
  people,
  now,
  onAssign,
  ...shared
}: Shared & {
  readonly people: readonly Person[];
  readonly now: string;
  readonly onAssign: (id: string | null) => Promise<unknown>;
}): ReactNode => {
  const [id, setId] = useState(now);
  return (
    <FormDialog
      title={`Who looks after ${shared.name}`}
      act="Assign"
      onAct={() => onAssign(id === '' ? null : id)}
      onLeave={shared.onLeave}
      about={conflictIn(shared)}
    >
      <label className="text-field">
        <span>Person</span>
        <select className="ctl" value={id} onChange={({ currentTarget }) => setId(currentTarget.value)}>
          <option value="">Nobody</option>
          {people
            .filter(({ role }) => role !== 'auditor')
            .map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}, {one.role}
              </option>
            ))}
        </select>
      </label>
    </FormDialog>
  );
};

export const DeclareDialog = ({
  title: proposed,
  onDeclare,
  ...shared
}: Shared & { readonly title: string; readonly onDeclare: (title: string, reason: string) => Promise<unknown> }): ReactNode => {
  const [title, setTitle] = useState(proposed);
  const [reason, setReason] = useState('');
  return (
    <FormDialog
      title={`Declare an incident from ${shared.name}`}
      act="Declare the incident"
      disabled={title.trim() === '' || reason.trim() === ''}
      onAct={() => onDeclare(title.trim(), reason.trim())}
      onLeave={shared.onLeave}
    >
      <TextField label="Title, as the report will print it" value={title} onChange={setTitle} rows={1} />
      <TextField label="Why it is one" value={reason} onChange={setReason} />
    </FormDialog>
  );
};

export const JoinDialog = ({ onJoin, ...shared }: Shared & { readonly onJoin: (id: string) => Promise<unknown> }): ReactNode => {
  const open = useQuery({
    queryKey: ['incidents', 'joinable'],
    queryFn: () => incidents({ query: 'not state: (closed or merged or dismissed)', limit: 100 }),
  });
  const items = open.data?.items ?? [];
  const [id, setId] = useState('');
  return (
    <FormDialog
      title={`Put ${shared.name} into an incident`}
      act="Put in"
      disabled={id === ''}
      onAct={() => onJoin(id)}
      onLeave={shared.onLeave}
    >
      {open.data && items.length === 0 ? <p className="second">No open incident. Declare one instead.</p> : null}
      <fieldset className="choices">
        <legend>Incident</legend>
        {items.map((one) => (
          <label key={one.id}>
            <input type="radio" name="incident" checked={id === one.id} onChange={() => setId(one.id)} />
            <span>
              <span className="mono">{one.reference}</span> <span className="serif">{one.title}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
};
