// SPDX-License-Identifier: Apache-2.0
/**
 * The sign-in: a name and a password, and what to do when there is none yet.
 * Input: what a person types. Output: a session, or why not.
 */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { login } from '../api/calls.ts';
import type { Problem } from '../api/client.ts';
import { ProblemLine } from '../part/problem.tsx';

export const SignInPage = ({ problem }: { readonly problem?: Problem }): ReactNode => {
  const client = useQueryClient();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const enter = useMutation({ mutationFn: () => login(name, password), onSuccess: (who) => client.setQueryData(['me'], who) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name !== '' && password !== '') enter.mutate();
  };
  const shown = enter.error ?? problem;
  return (
    <main className="door">
      <form onSubmit={submit} aria-labelledby="sign-in">
        <h1 className="brand" id="sign-in">
          <img src="/mark.svg" width="26" height="26" alt="" />
          Vigil
        </h1>
        <TextInput label="Name" autoComplete="username" value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          data-autofocus
          autoFocus
        />
        <ProblemLine error={shown} />
        <Button type="submit" variant="filled" size="sm" loading={enter.isPending} disabled={name === '' || password === ''}>
          Sign in
        </Button>
        <p className="small third">
          On its first start the collector prints a one-time password for admin in the terminal. Lost it? `vigil user reset admin` there
          makes another.
        </p>
      </form>
    </main>
  );
};
