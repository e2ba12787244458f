// SPDX-License-Identifier: Apache-2.0
/**
 * The two controls at the end of the top bar: light or dark, and the person's menu with the way out.
 * Input: who is signed in. Output: a scheme, a page, an ended session.
 */
import { Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import { logout, type Me } from '../api/calls.ts';

export const SchemeButton = (): ReactNode => {
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const { setColorScheme } = useMantineColorScheme();
  const next = scheme === 'light' ? 'dark' : 'light';
  return (
    <button
      type="button"
      className="ctl square"
      aria-label={`Use the ${next} scheme`}
      title={`Use the ${next} scheme`}
      onClick={() => setColorScheme(next)}
    >
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" strokeWidth="1.2" />
        <path d="M7 1.6a5.4 5.4 0 0 1 0 10.8z" fill="currentColor" />
      </svg>
    </button>
  );
};

/** `admin` as AD, `Priya Nair` as PN. */
const initials = (name: string): string => {
  const [first = '', second] = name.split(/[\s._-]+/);
  return (second ? first.charAt(0) + second.charAt(0) : first.slice(0, 2)).toUpperCase();
};

export const PersonMenu = ({ who, onKeys }: { readonly who: Me; readonly onKeys: () => void }): ReactNode => {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [failed, setFailed] = useState(false);
  const leave = async (): Promise<void> => {
    try {
      await logout();
    } catch {
      // The session lives on where it is kept, so nothing is taken away here.
      setFailed(true);
      return;
    }
    sessionStorage.clear();
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
    await navigate('/');
    // Asked anew, it answers that nobody is signed in.
    await client.resetQueries({ queryKey: ['me'] });
  };
  return (
    <Menu position="bottom-end" width={220} offset={6}>
      <Menu.Target>
        <button type="button" className="avatar" title={`${who.name}, ${who.role}`}>
          {initials(who.name)}
          <span className="hidden-visually">{`: ${who.name}, ${who.role}`}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {who.name}, {who.role}
        </Menu.Label>
        <Menu.Item onClick={() => navigate('/password')}>Change password</Menu.Item>
        <Menu.Item onClick={onKeys}>Keys</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={leave} closeMenuOnClick={false}>
          Sign out
        </Menu.Item>
        {failed ? <Menu.Label role="alert">The collector does not answer. You are still signed in.</Menu.Label> : null}
      </Menu.Dropdown>
    </Menu>
  );
};
