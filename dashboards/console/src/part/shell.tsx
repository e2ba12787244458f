// SPDX-License-Identifier: Apache-2.0
/**
 * The frame of every page: navigation, place and controls on top, the sight line at the foot that says what Vigil can see right now.
 * Input: who is signed in, the page. Output: the frame around it, and the keys that work everywhere.
 */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, matchPath, NavLink, useLocation, useNavigate } from 'react-router';
import type { Me } from '../api/calls.ts';
import { GROUPS, pagesOf } from '../pages.tsx';
import { applyDensity, nextDensity } from './density.ts';
import { useGoKeys, useKeys } from './keys.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { useLive } from './live.ts';
import { Sign } from './marks.tsx';
import { Palette } from './palette.tsx';
import { PersonMenu, SchemeButton } from './person-menu.tsx';
import { SightLine } from './sight-line.tsx';
import { HostZonesContext, type Zone } from './time.tsx';
import { useHostZones, useWaiting } from './waiting.ts';
import { countText } from './words.ts';

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
  useEffect(applyDensity, []);
  const [palette, setPalette] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector('dialog[open]'))
        return;
      event.preventDefault();
      setPalette(true);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  // Whoever goes to another page by the keyboard stands at its beginning.
  const main = useRef<HTMLElement>(null);
  const shownAt = useRef(pathname);
  useEffect(() => {
    if (shownAt.current === pathname) return;
    shownAt.current = pathname;
    // A page may have taken the focus to its own field already.
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [pathname]);
  const zones = useHostZones(who);
  const waiting = useWaiting(who);
  useGoKeys(Object.fromEntries(pages.flatMap(({ key, path }) => (key === undefined ? [] : [[key, () => void navigate(path)]]))));
  useKeys({
    z: () => onZone(ZONES[(ZONES.findIndex(({ value }) => value === zone) + 1) % ZONES.length]?.value ?? 'utc'),
    d: nextDensity,
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
                      <Waiting count={waiting[path]} />
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
          <Link className="ctl square wide" to="/search" state={{ focus: true }} aria-label="Search events" title="Search events  /">
            <kbd>/</kbd>
          </Link>
        )}
        <button type="button" className="ctl ask" onClick={() => setPalette(true)}>
          Go to <kbd>Ctrl K</kbd>
        </button>
        <SchemeButton />
        <PersonMenu who={who} onKeys={() => dialog.current?.showModal()} />
      </header>
      <main className="main" id="main" tabIndex={-1} ref={main}>
        <HostZonesContext value={zones}>{children}</HostZonesContext>
      </main>
      <SightLine />
      <KeysDialog who={who} ref={dialog} />
      {palette ? <Palette who={who} onLeave={() => setPalette(false)} /> : null}
    </div>
  );
};

/** How many things of a page wait for a person; none is not shown. */
const Waiting = ({ count }: { readonly count: number | undefined }): ReactNode =>
  count === undefined || count === 0 ? null : (
    <b className="waits" title={`${countText(count)} wait for a person`}>
      {countText(count)}
    </b>
  );

const ZONES = [
  { value: 'utc', label: 'UTC' },
  { value: 'local', label: 'Local' },
  { value: 'host', label: 'Host' },
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
