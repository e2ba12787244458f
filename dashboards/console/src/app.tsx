// SPDX-License-Identifier: Apache-2.0
/**
 * Who is there decides what is shown: the sign-in, the first password, or the frame with its pages.
 * Input: the session. Output: one of the three.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, Suspense, useState } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';
import { me } from './api/calls.ts';
import { isProblem } from './api/client.ts';
import { PasswordPage } from './page/password.tsx';
import { SignInPage } from './page/sign-in.tsx';
import { pagesOf } from './pages.tsx';
import { ErrorBoundary } from './part/error-boundary.tsx';
import { Shell } from './part/shell.tsx';
import { type Zone, ZoneContext } from './part/time.tsx';
import { Toasts } from './part/toast.tsx';

const ZONE = 'vigil.zone';
const ZONES: readonly Zone[] = ['utc', 'local', 'host'];

export const App = (): ReactNode => {
  const { pathname } = useLocation();
  const who = useQuery({ queryKey: ['me'], queryFn: me, staleTime: 60_000 });
  const [zone, setZone] = useState<Zone>(() => ZONES.find((one) => one === localStorage.getItem(ZONE)) ?? 'utc');
  const choose = (next: Zone): void => {
    localStorage.setItem(ZONE, next);
    setZone(next);
  };
  if (who.isPending) return null;
  const signedOut = isProblem(who.error) && who.error.status === 401;
  // A collector that does not answer for a while does not end a session; the sight line says so.
  if (signedOut || !who.data) return <SignInPage problem={signedOut ? null : who.error} />;
  if (who.data.mustChangePassword) return <PasswordPage first name={who.data.name} />;
  return (
    <ZoneContext value={zone}>
      <Shell who={who.data} zone={zone} onZone={choose}>
        <Toasts>
          <ErrorBoundary key={pathname}>
            <Suspense>
              <Routes>
                {pagesOf(who.data).map(({ path, element }) => (
                  <Route key={path} path={path} element={element(who.data)} />
                ))}
                <Route path="*" element={<Navigate to="/" replace />} />
              </Routes>
            </Suspense>
          </ErrorBoundary>
        </Toasts>
      </Shell>
    </ZoneContext>
  );
};
