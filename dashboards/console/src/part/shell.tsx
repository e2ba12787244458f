// SPDX-License-Identifier: Apache-2.0
/**
 * The frame of every page: navigation, place and controls on top, the sight line at the foot that says what Vigil can see right now.
 * Input: who is signed in, the page. Output: the frame around it, and the keys that work everywhere.
 */
import { type ReactNode, useEffect, useRef } from 'react';
import { Link, matchPath, NavLink, useLocation, useNavigate } from 'react-router';
import type { Me } from '../api/calls.ts';
import { GROUPS, pagesOf } from '../pages.tsx';
import { useGoKeys, useKeys } from './keys.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { useLive } from './live.ts';
import { Sign } from './marks.tsx';
import { PersonMenu, SchemeButton } from './person-menu.tsx';
import { SightLine } from './sight-line.tsx';
import type { Zone } from './time.tsx';

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
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const pages = pagesOf(who);
  const place = pages.find(({ path }) => matchPath(path, pathname))?.name ?? '';
  useEffect(() => {
    document.title = place === '' ? 'Vigil' : `${place} · Vigil`;
  }, [place]);
  useLive();
  useGoKeys(Object.fromEntries(pages.flatMap(({ key, path }) => (key === undefined ? [] : [[key, () => void navigate(path)]]))));
  useKeys({
    z: () => onZone(zone === 'utc' ? 'local' : 'utc'),
    '?': () => dialog.current?.showModal(),
    // These have a query of their own.
    ...(pathname === '/search' || pathname === '/alerts' ? {} : { '/': () => void navigate('/search', { state: { focus: true } }) }),
  });
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <nav className="nav" aria-label="Main">
        <Link to="/" className="brand" aria-label="Vigil, to the overview">
          <Sign />
          <span className="word">Vigil</span>
        </Link>
        {GROUPS.map((group) => {
          const listed = pages.filter((page) => page.group === group);
          return listed.length === 0 ? null : (
            <section key={group}>
              <h2>{group}</h2>
              <ul>
                {listed.map(({ path, name }) => (
                  <li key={path}>
                    <NavLink to={path} end={path === '/'} title={name}>
                      <span className="word">{name}</span>
                      <span className="initial" aria-hidden="true">
                        {name.slice(0, 2)}
                      </span>
                    </NavLink>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </nav>
      <header className="top">
        <h1 className="place">{place}</h1>
        <span className="grow" />
        <ZoneChoice zone={zone} onZone={onZone} />
        {pathname === '/search' ? null : (
          <Link className="ctl ask" to="/search" state={{ focus: true }}>
            Search <kbd>/</kbd>
          </Link>
        )}
        <SchemeButton />
        <PersonMenu who={who} onKeys={() => dialog.current?.showModal()} />
      </header>
      <main className="main" id="main" tabIndex={-1}>
        {children}
      </main>
      <SightLine />
      <KeysDialog who={who} ref={dialog} />
    </div>
  );
};

const ZONES = [
  { value: 'utc', label: 'UTC' },
  { value: 'local', label: 'Local' },
] as const;

const ZoneChoice = ({ zone, onZone }: { readonly zone: Zone; readonly onZone: (zone: Zone) => void }): ReactNode => (
  <fieldset className="seg">
    <legend className="hidden-visually">Times shown in</legend>
    {ZONES.map(({ value, label }) => (
      <label key={value}>
        <input type="radio" name="zone" checked={zone === value} onChange={() => onZone(value)} />
        <span>{label}</span>
      </label>
    ))}
  </fieldset>
);
