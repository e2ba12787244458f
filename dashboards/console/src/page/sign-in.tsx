// SPDX-License-Identifier: Apache-2.0
/**
 * The sign-in: a name and a password, and what to do when there is none yet.
 * Input: what a person types. Output: a session, or why not.
 */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { login } from '../api/calls.ts';
import { Sign } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';

export const SignInPage = ({ problem }: { readonly problem: unknown }): ReactNode => {
  const client = useQueryClient();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const enter = useMutation({
    mutationFn: () => login(name, password),
    onSuccess: (who) => client.setQueryData(['me'], who),
    onError: () => field.current?.select(),
  });
  useEffect(() => {
    document.title = 'Sign in · Vigil';
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setMissing(name === '' || password === '');
    if (name !== '' && password !== '') enter.mutate();
  };
  return (
    <main className="door">
      <form onSubmit={submit} aria-labelledby="sign-in">
        <h1 className="brand" id="sign-in">
          <Sign size={28} />
          Vigil
        </h1>
        <TextInput
          label="Name"
          autoComplete="username"
          autoCapitalize="off"
          spellCheck={false}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          error={missing && name === '' ? 'Type your name first' : null}
        />
        <PasswordInput
          ref={field}
          label="Password"
          autoComplete="current-password"
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          error={missing && password === '' ? 'Type your password first' : null}
          autoFocus
        />
        <ProblemLine error={enter.isPending ? null : (enter.error ?? problem)} />
        <Button type="submit" variant="filled" size="sm" loading={enter.isPending}>
          Sign in
        </Button>
        <p className="small third">
          On its first start the collector prints a one-time password for <span className="mono">admin</span> in its terminal. Lost it?{' '}
          <span className="mono nowrap">vigil user reset admin</span> on the collector makes another.
        </p>
      </form>
    </main>
  );
};
