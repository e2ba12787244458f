// SPDX-License-Identifier: Apache-2.0
/**
 * Changing the own password: at the first sign-in in place of everything else, later as a page.
 * Input: the password now and the next one, twice. Output: a new password; every other session of the person ends.
 */
import { Button, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { changePassword } from '../api/calls.ts';
import { ProblemLine } from '../part/problem.tsx';

const MIN_LENGTH = 12;

export const PasswordPage = ({ first = false, name }: { readonly first?: boolean; readonly name: string }): ReactNode => {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['me'] });
      if (!first) await navigate('/');
    },
  });
  const short = next !== '' && next.length < MIN_LENGTH;
  const differs = again !== '' && again !== next;
  const ready = current !== '' && next.length >= MIN_LENGTH && again === next;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) change.mutate();
  };
  const form = (
    <form onSubmit={submit} aria-label="Change password" style={{ display: 'grid', gap: 14, width: 'min(360px, 100%)' }}>
      {first ? (
        <>
          <h1 className="lead">Choose your own password, {name}.</h1>
          <p className="second">
            The one-time password has done its work. At least {MIN_LENGTH} characters; length counts more than signs.
          </p>
        </>
      ) : null}
      <input type="text" autoComplete="username" value={name} readOnly hidden />
      <PasswordInput
        label={first ? 'One-time password' : 'Password now'}
        autoComplete="current-password"
        value={current}
        onChange={(e) => setCurrent(e.currentTarget.value)}
        autoFocus
      />
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        value={next}
        onChange={(e) => setNext(e.currentTarget.value)}
        error={short ? `${MIN_LENGTH - next.length} more characters` : null}
      />
      <PasswordInput
        label="New password again"
        autoComplete="new-password"
        value={again}
        onChange={(e) => setAgain(e.currentTarget.value)}
        error={differs ? 'Differs from the one above' : null}
      />
      <ProblemLine error={change.error} />
      <Button type="submit" variant="filled" size="sm" loading={change.isPending} disabled={!ready}>
        Change password
      </Button>
    </form>
  );
  return first ? <main className="door">{form}</main> : form;
};
