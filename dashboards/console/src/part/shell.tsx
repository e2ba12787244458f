// SPDX-License-Identifier: Apache-2.0
/**
 * The frame of every page: navigation, place and controls on top, the sight line at the foot that says what Vigil can see right now.
 * Input: who is signed in, the page. Output: the frame around it.
 */
import { ActionIcon, Button, Menu, SegmentedControl, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { NavLink, useLocation, useNavigate } from 'react-router';
import { logout, type Me, status } from '../api/calls.ts';
import { StateMark } from './marks.tsx';
import { countText, spanText, Time, type Zone } from './time.tsx';

const PAGES = [
  { path: '/', name: 'Overview', group: 'Watch' },
  { path: '/search', name: 'Search', group: 'Watch' },
] as const;

export const Shell = ({
  who,
  zone,
  onZone,
  children,
}: {
  readonly who: Me;
  readonly zone: Zone;
  readonly onZone: (zone: Zone) => void;
  readonly children: ReactNode;
}): ReactNode => {
  const { pathname } = useLocation();
  const place = pathname === '/password' ? 'Change password' : (PAGES.find(({ path }) => path === pathname)?.name ?? '');
  return (
    <div className="frame">
      <nav className="nav" aria-label="Main">
        <NavLink to="/" className="brand" aria-label="Vigil, to the overview">
          <img src="/mark.svg" width="22" height="22" alt="" />
          <span className="word">Vigil</span>
        </NavLink>
        <h2>Watch</h2>
        <ul>
          {PAGES.map(({ path, name }) => (
            <li key={path}>
              <NavLink to={path} end title={name}>
                <span className="word">{name}</span>
                <span className="initial" aria-hidden="true">
                  {name.slice(0, 2)}
                </span>
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <header className="top">
        <h1 className="place" style={{ fontSize: 13, lineHeight: '20px' }}>
          {place}
        </h1>
        <span className="grow" />
        <SegmentedControl
          size="xs"
          aria-label="Times shown in"
          value={zone}
          onChange={(value) => onZone(value as Zone)}
          data={[
            { value: 'utc', label: 'UTC' },
            { value: 'local', label: 'Local' },
          ]}
        />
        <SchemeButton />
        <PersonMenu who={who} />
      </header>
      <main className="main">{children}</main>
      <SightLine />
    </div>
  );
};

const SchemeButton = (): ReactNode => {
  const scheme = useComputedColorScheme('light');
  const { setColorScheme } = useMantineColorScheme();
  const next = scheme === 'light' ? 'dark' : 'light';
  return (
    <ActionIcon variant="default" size={28} aria-label={`Use the ${next} scheme`} onClick={() => setColorScheme(next)}>
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" strokeWidth="1.2" />
        <path d="M7 1.6a5.4 5.4 0 0 1 0 10.8z" fill="currentColor" />
      </svg>
    </ActionIcon>
  );
};

const PersonMenu = ({ who }: { readonly who: Me }): ReactNode => {
  const navigate = useNavigate();
  const client = useQueryClient();
  const leave = async (): Promise<void> => {
    await logout();
    client.clear();
    await navigate('/');
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <Button aria-label={`${who.name}, ${who.role}`}>{who.name}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Signed in as {who.role}</Menu.Label>
        <Menu.Item onClick={() => navigate('/password')}>Change password</Menu.Item>
        <Menu.Item onClick={leave}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
};

const SightLine = (): ReactNode => {
  const { data, isError } = useQuery({ queryKey: ['status'], queryFn: status, refetchInterval: 5_000 });
  if (!data)
    return (
      <footer className="sight">
        <span>
          <StateMark state={isError ? 'bad' : 'unknown'} label={isError ? 'Not reachable' : 'Not known yet'} />
          {isError ? 'The collector does not answer; what is shown may be old' : 'Asking the collector'}
        </span>
      </footer>
    );
  const reporting = data.hosts.reporting;
  const whole = data.lost === 0;
  return (
    <footer className="sight">
      <span>
        <StateMark
          state={reporting === data.hosts.expected ? 'good' : 'warn'}
          label={reporting === data.hosts.expected ? 'All hosts report' : 'A host is silent'}
        />
        Hosts <b>{`${reporting} of ${data.hosts.expected}`}</b> reporting
      </span>
      <span>
        Sources <b>{countText(data.sources.reading)}</b>
        {data.sources.unreadable > 0 ? <> and {countText(data.sources.unreadable)} not readable</> : null}
      </span>
      <span>
        Search lag <b>{spanText(data.lag.storeMs)}</b>
      </span>
      <span>
        Detect lag <b>{spanText(data.lag.detectMs)}</b>
      </span>
      <span>
        <StateMark state={whole ? 'good' : 'warn'} label={whole ? 'Nothing lost' : 'Records were lost'} />
        Lost <b>{countText(data.lost)}</b> of {countText(data.records)} records
      </span>
      <span>
        Rules <b>{`${data.rules.loaded} of ${data.rules.loaded + data.rules.refused}`}</b> loaded
      </span>
      <span>
        <Time at={data.time} />
      </span>
    </footer>
  );
};
