// SPDX-License-Identifier: Apache-2.0
/**
 * What a person does with alerts, one or many at once: take note, assign, close, open again, comment, declare an incident.
 * Input: the person, the alerts. Output: the acts and the dialog that is open; each changed alert goes where it is shown.
 */
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { type AlertItem, alert, incident, type Me } from '../api/calls.ts';
import { type AlertChange, addComment, changeAlert, changeIncident, declareIncident } from '../api/triage.ts';
import { AssignDialog, CloseDialog, CommentDialog, DeclareDialog, JoinDialog, ReasonDialog } from './act-dialogs.tsx';
import { keepAlert } from './alert-cache.ts';
import { isConflict } from './conflict.tsx';
import { usePeople } from './people.ts';
import { useToast } from './toast.tsx';
import { plural } from './words.ts';

type Asked = 'assign' | 'close' | 'reopen' | 'comment' | 'declare' | 'join';

export interface AlertActs {
  readonly mayWrite: boolean;
  readonly mayDeclare: boolean;
  readonly acknowledge: (list: readonly AlertItem[]) => void;
  readonly assignToMe: (list: readonly AlertItem[]) => void;
  readonly ask: (what: Asked, list: readonly AlertItem[]) => void;
  readonly dialog: ReactNode;
}

/** The way back of a change: what stood before is said again. */
const backOf = (before: AlertItem, after: AlertItem): readonly AlertChange[] => {
  const assignee = before.assignee ?? null;
  if (before.state === after.state) return [{ assignee }];
  if (before.state === 'closed') return [{ state: 'closed', ...(before.verdict ? { verdict: before.verdict } : {}), assignee }];
  const opened: AlertChange = { state: 'new', reason: 'Undone', assignee };
  return before.state === 'acknowledged' ? [opened, { state: 'acknowledged' }] : [opened];
};

const named = (list: readonly AlertItem[]): string => (list.length === 1 ? `“${list[0]?.title}”` : plural(list.length, 'alert'));

export const useAlertActs = (who: Me): AlertActs => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const { list: everyone, nameOf } = usePeople();
  const [asked, setAsked] = useState<{ readonly what: Asked; readonly list: readonly AlertItem[] } | null>(null);
  const mayWrite = who.permissions.includes('alert.write');
  const mayDeclare = who.permissions.includes('incident.write');

  const write = async (one: AlertItem, change: AlertChange): Promise<AlertItem> => {
    const after = await changeAlert(one, change);
    keepAlert(client, after);
    return after;
  };
  /** All of them, one after another; a refusal stops there, and says so after what stands now was read. */
  const apply = async (list: readonly AlertItem[], change: AlertChange, done: string): Promise<void> => {
    const changed: (readonly [before: AlertItem, after: AlertItem])[] = [];
    try {
      for (const one of list) changed.push([one, await write(one, change)]);
    } catch (error) {
      if (isConflict(error)) {
        const fresh = await Promise.all(list.slice(changed.length).map(({ id }) => alert(id)));
        for (const one of fresh) keepAlert(client, one);
        setAsked((now) => (now ? { ...now, list: fresh } : now));
      }
      throw error;
    }
    void client.invalidateQueries({ queryKey: ['facets'] });
    toast({
      text: done,
      undo: async () => {
        for (const [before, after] of changed) {
          let standing = after;
          for (const back of backOf(before, after)) standing = await write(standing, back);
        }
        void client.invalidateQueries({ queryKey: ['facets'] });
      },
    });
  };
  /** An act without a dialog says its refusal where its success would stand. */
  const now = (list: readonly AlertItem[], change: AlertChange, done: string): void => {
    if (list.length === 0) return;
    void apply(list, change, done).catch((error: unknown) =>
      toast({
        text: isConflict(error)
          ? `Somebody changed ${named(list)} meanwhile; it is shown as it stands now.`
          : String((error as Error).message),
        bad: true,
      }),
    );
  };
  const close = (): void => setAsked(null);
  const dialogOf = (what: Asked, list: readonly AlertItem[]): ReactNode => {
    const [first] = list;
    if (!first) return null;
    const name = named(list);
    const shared = { name, onLeave: close, nameOf, steps: list.flatMap(({ moves }) => moves ?? []) };
    switch (what) {
      case 'assign':
        return (
          <AssignDialog
            {...shared}
            people={everyone}
            now={first.assignee ?? ''}
            onAssign={(id) => apply(list, { assignee: id }, id === null ? `${name} is nobody's.` : `${name} is ${nameOf(id)}'s.`)}
          />
        );
      case 'close':
        return (
          <CloseDialog
            {...shared}
            onClose={(verdict, reason) => apply(list, { state: 'closed', verdict, ...(reason ? { reason } : {}) }, `Closed ${name}.`)}
          />
        );
      case 'reopen':
        return (
          <ReasonDialog
            {...shared}
            title={`Open ${name} again`}
            act="Open again"
            onReason={(reason) => apply(list, { state: 'new', reason }, `Opened ${name} again.`)}
          />
        );
      case 'comment':
        return (
          <CommentDialog
            {...shared}
            onSay={async (text) => {
              for (const { id } of list) await addComment('alert', id, text);
              for (const { id } of list) void client.invalidateQueries({ queryKey: ['alert', id, 'comments'] });
              toast({ text: `Your note stands with ${name}.` });
            }}
          />
        );
      case 'declare':
        return (
          <DeclareDialog
            {...shared}
            title={first.title}
            onDeclare={async (title, reason) => {
              const made = await declareIncident({ title, reason, alerts: list.map(({ id }) => id) });
              await client.invalidateQueries({ queryKey: ['incidents'] });
              await navigate(`/incidents/${made.id}`);
            }}
          />
        );
      case 'join':
        return (
          <JoinDialog
            {...shared}
            onJoin={async (id) => {
              const target = await incident(id);
              await changeIncident(target, { add: list.map((one) => one.id) });
              for (const one of list) keepAlert(client, await alert(one.id));
              toast({
                text: `${name} is part of ${target.reference}.`,
                undo: async () => void (await changeIncident(await incident(id), { remove: list.map((one) => one.id) })),
              });
            }}
          />
        );
    }
  };
  return {
    mayWrite,
    mayDeclare,
    acknowledge: (list) => {
      const fresh = list.filter(({ state }) => state === 'new');
      now(fresh, { state: 'acknowledged' }, `Took note of ${named(fresh)}.`);
    },
    assignToMe: (list) => now(list, { assignee: who.name }, `${named(list)} is yours.`),
    ask: (what, list) => setAsked(list.length === 0 ? null : { what, list }),
    dialog: asked ? dialogOf(asked.what, asked.list) : null,
  };
};
