// SPDX-License-Identifier: Apache-2.0
/**
 * Notes of people as entries of a timeline, and the field that adds one.
 * Input: what they are about. Output: entries; a note that is not taken keeps its text.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, type Ref, useState } from 'react';
import { addComment, comments, type Subject } from '../api/triage.ts';
import { ProblemLine } from './problem.tsx';
import { shown } from './shown.ts';
import type { Entry } from './timeline.tsx';

export const useComments = (what: Subject, id: string): readonly Entry[] => {
  const found = useQuery({ queryKey: [what, id, 'comments'], queryFn: () => comments(what, id) });
  return (found.data?.items ?? []).map((one) => ({
    key: one.id,
    at: one.at,
    by: 'person',
    body: (
      <>
        <span className="small third">{shown(one.byName)}</span>
        <p className="said">{shown(one.text)}</p>
      </>
    ),
  }));
};

interface Props {
  readonly what: Subject;
  readonly id: string;
  readonly input: Ref<HTMLTextAreaElement>;
}

export const NoteForm = ({ what, id, input }: Props): ReactNode => {
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (text.trim() === '' || busy) return;
    setBusy(true);
    setError(null);
    try {
      await addComment(what, id, text.trim());
      setText('');
      await client.invalidateQueries({ queryKey: [what, id, 'comments'] });
    } catch (refusal) {
      setError(refusal);
    }
    setBusy(false);
  };
  return (
    <form className="note-form" onSubmit={(event) => void submit(event)}>
      <label className="hidden-visually" htmlFor={`note-${id}`}>
        A note; it stays with your name
      </label>
      <textarea
        id={`note-${id}`}
        ref={input}
        rows={2}
        maxLength={4000}
        placeholder="What you saw, did or concluded"
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit();
        }}
      />
      <ProblemLine error={error} />
      <p className="acts">
        <button type="submit" className="ctl" disabled={busy || text.trim() === ''}>
          Add the note <kbd>n</kbd>
        </button>
      </p>
    </form>
  );
};
