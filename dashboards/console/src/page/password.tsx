// SPDX-License-Identifier: Apache-2.0
/**
 * Changing the own password: at the first sign-in in place of everything else, later as a page.
 * Input: the password now and the next one, twice. Output: a new password; every other session of the person ends.
 */
import { Button, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { changePassword } from '../api/calls.ts';
import { Sign } from '../part/marks.tsx';
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
  useEffect(() => {
    if (first) document.title = 'Choose a password · Vigil';
  }, [first]);
  const short = next !== '' && next.length < MIN_LENGTH;
  const more = MIN_LENGTH - next.length;
  const differs = again !== '' && again !== next;
  const [tried, setTried] = useState(false);
  const ready = current !== '' && next.length >= MIN_LENGTH && again === next;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (ready) change.mutate();
  };
  const form = (
    <form className="card-form" onSubmit={submit} aria-label="Change password">
      {first ? (
        <>
          <p className="brand" aria-hidden="true">
            <Sign size={28} />
            Vigil
          </p>
          <h1 className="lead">Choose your own password, {name}.</h1>
          <p className="second">
            Type the one-time password once more, then your own: at least {MIN_LENGTH} characters. Length counts more than signs.
          </p>
        </>
      ) : (
        <>
          <p className="lead">Choose a new password, {name}.</p>
          <p className="second">At least {MIN_LENGTH} characters; length counts more than signs. Your other sessions end.</p>
        </>
      )}
      <input type="text" autoComplete="username" value={name} readOnly hidden />
      <PasswordInput
        label={first ? 'One-time password' : 'Password now'}
        autoComplete="current-password"
        value={current}
        onChange={(e) => setCurrent(e.currentTarget.value)}
        error={tried && current === '' ? `Type the ${first ? 'one-time ' : ''}password you signed in with` : null}
        autoFocus
      />
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        value={next}
        onChange={(e) => setNext(e.currentTarget.value)}
        error={short || (tried && next === '') ? `${more} more ${more === 1 ? 'character' : 'characters'}` : null}
      />
      <PasswordInput
        label="New password again"
        autoComplete="new-password"
        value={again}
        onChange={(e) => setAgain(e.currentTarget.value)}
        error={differs || (tried && again !== next) ? 'Differs from the one above' : null}
      />
      <ProblemLine error={change.error} />
      <Button type="submit" variant="filled" size="sm" loading={change.isPending}>
        Change password
      </Button>
    </form>
  );
  return first ? <main className="door">{form}</main> : form;
};
