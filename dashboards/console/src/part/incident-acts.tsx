// SPDX-License-Identifier: Apache-2.0
/**
 * What a person does with an incident: own it, move it on, close or dismiss it with a verdict, open it again, take an alert out.
 * Input: the person, the incident as it stands. Output: buttons and the dialog that is open.
 */
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type IncidentItem, incident, type Me } from '../api/calls.ts';
import { changeIncident, type IncidentChange } from '../api/triage.ts';
import { AssignDialog, CloseDialog, ReasonDialog } from './act-dialogs.tsx';
import { isConflict } from './conflict.tsx';
import { usePeople } from './people.ts';
import { useToast } from './toast.tsx';

const STEPS = ['new', 'triaged', 'contained', 'eradicated', 'recovered'] as const;

type State = IncidentItem['state'];
type Asked = 'assign' | 'close' | 'dismiss' | 'reopen';

export interface IncidentActs {
  readonly mayWrite: boolean;
  readonly own: () => void;
  readonly ask: (what: Asked) => void;
  readonly takeOut: (alert: string) => void;
  readonly buttons: ReactNode;
  readonly dialog: ReactNode;
}

const hasEnded = (state: State): boolean => state === 'closed' || state === 'dismissed' || state === 'merged';

export const useIncidentActs = (who: Me, one: IncidentItem | undefined): IncidentActs => {
  const client = useQueryClient();
  const toast = useToast();
  const { list: people, nameOf } = usePeople();
  const [asked, setAsked] = useState<Asked | null>(null);
  const mayWrite = who.permissions.includes('incident.write');
  const keep = (after: IncidentItem): void => {
    for (const key of [after.id, after.reference]) client.setQueryData(['incident', key], after);
    void client.invalidateQueries({ queryKey: ['incidents'] });
  };
  const write = async (now: IncidentItem, change: IncidentChange): Promise<IncidentItem> => {
    const after = await changeIncident(now, change);
    keep(after);
    return after;
  };
  const apply = async (change: IncidentChange, done: string, back: (before: IncidentItem) => IncidentChange): Promise<void> => {
    if (!one) return;
    try {
      const after = await write(one, change);
      // Another person's later step is never undone by this one: it would be a conflict.
      toast({ text: done, undo: () => write(after, back(one)) });
    } catch (error) {
      if (isConflict(error)) keep(await incident(one.id));
      throw error;
    }
  };
  const now = (...given: Parameters<typeof apply>): void =>
    void apply(...given).catch((error: unknown) =>
      toast({
        text: isConflict(error)
          ? `Somebody changed ${one?.reference} meanwhile; it is shown as it stands now.`
          : String((error as Error).message),
        bad: true,
      }),
    );
  const toState =
    (to: State) =>
    (before: IncidentItem): IncidentChange => ({
      state: to,
      reason: 'Undone',
      ...(hasEnded(to) && before.verdict ? { verdict: before.verdict } : {}),
    });
  const owner = (before: IncidentItem): IncidentChange => ({ owner: before.owner ?? null });
  const next = one ? STEPS[STEPS.indexOf(one.state as (typeof STEPS)[number]) + 1] : undefined;
  const open = one !== undefined && !hasEnded(one.state);
  const name = one?.reference ?? '';
  const shared = { name, onLeave: () => setAsked(null), nameOf, steps: one?.moves ?? [] };

  const dialogOf = (what: Asked, it: IncidentItem): ReactNode => {
    switch (what) {
      case 'assign':
        return (
          <AssignDialog
            {...shared}
            people={people}
            now={it.owner ?? ''}
            onAssign={(id) => apply({ owner: id }, id === null ? `${name} is nobody's.` : `${name} is ${nameOf(id)}'s.`, owner)}
          />
        );
      case 'close':
      case 'dismiss':
        return (
          <CloseDialog
            {...shared}
            title={what === 'close' ? `Close ${name}` : `Dismiss ${name}`}
            needsReason={what === 'dismiss' || it.state !== 'recovered'}
            onClose={(verdict, reason) =>
              apply(
                { state: what === 'close' ? 'closed' : 'dismissed', verdict, ...(reason ? { reason } : {}) },
                what === 'close' ? `Closed ${name}.` : `Dismissed ${name}.`,
                (before) => toState(before.state)(before),
              )
            }
          />
        );
      case 'reopen':
        return (
          <ReasonDialog
            {...shared}
            title={`Open ${name} again`}
            act="Open again"
            onReason={(reason) => apply({ state: 'triaged', reason }, `Opened ${name} again.`, (before) => toState(before.state)(before))}
          />
        );
    }
  };
  return {
    mayWrite,
    own: () => now({ owner: who.name }, `${name} is yours.`, owner),
    ask: (what) => {
      if (one && mayWrite) setAsked(what);
    },
    takeOut: (alert) => now({ remove: [alert] }, `Taken out of ${name}.`, () => ({ add: [alert] })),
    dialog: asked && one ? dialogOf(asked, one) : null,
    buttons:
      mayWrite && one && one.state !== 'merged' ? (
        <p className="buttons">
          {open && next ? (
            <button
              type="button"
              className="ctl filled"
              onClick={() => now({ state: next }, `${name} is ${next}.`, (before) => toState(before.state)(before))}
            >
              Mark {next}
            </button>
          ) : null}
          <button type="button" className="ctl" onClick={() => now({ owner: who.name }, `${name} is yours.`, owner)}>
            Assign to me <kbd>a</kbd>
          </button>
          <button type="button" className="ctl" onClick={() => setAsked('assign')}>
            Assign…
          </button>
          {open ? (
            <>
              <button type="button" className="ctl" onClick={() => setAsked('close')}>
                Close… <kbd>e</kbd>
              </button>
              <button type="button" className="ctl" onClick={() => setAsked('dismiss')}>
                Dismiss…
              </button>
            </>
          ) : (
            <button type="button" className="ctl" onClick={() => setAsked('reopen')}>
              Open again…
            </button>
          )}
        </p>
      ) : null,
  };
};
