// SPDX-License-Identifier: Apache-2.0
/**
 * The checks that the collector answers itself, from facts, presences and what it holds.
 * Input: nothing. Output: their declarations, for the answers, the controls, the console.
 */
import { hours } from '../../core/units.ts';
import type { Check } from '../model/observation.ts';

/** Answered every hour and on change: an answer that was missed twice is none any more. */
const FRESH = hours(2);

const check = <I extends string>(id: I, severity: Check['severity'], title: string, fix: string) => ({
  id,
  title,
  severity,
  method: 'TEST' as const,
  freshMs: FRESH,
  by: 'collector' as const,
  fix,
});

export const OWN_CHECKS = [
  check(
    'os-not-end-of-life',
    'high',
    'The operating system still gets security updates',
    'Upgrade the host to a release that is supported.',
  ),
  check(
    'agent-reporting',
    'high',
    'The host’s agent reports',
    'Start the agent on the host (systemctl start vigil-agent) and see that it reaches the agents’ port.',
  ),
  check(
    'expected-log-sources-reporting',
    'medium',
    'Every log source the agent was given is read to its end',
    'Run `vigil-agent plan` on the host: it names the source it may not read and the command that allows it.',
  ),
  check(
    'records-complete',
    'high',
    'No record of the host is lost or missing without an explanation',
    'Run `vigil status` and `vigil-agent status`: they name the stream and the reason; raise the spool’s quota where it overflowed.',
  ),
  check(
    'packages-updated-recently',
    'medium',
    'Packages were updated within 45 days',
    'Update the packages (apt-get update && apt-get upgrade, dnf upgrade, apk upgrade) and switch automatic security updates on.',
  ),
  check(
    'accounts-not-stale',
    'medium',
    'No account that may log in was unused for more than 90 days',
    'Lock what nobody uses: usermod --lock --expiredate 1 NAME.',
  ),
  check(
    'certificates-valid-30-days',
    'high',
    'Every certificate in use is valid for 30 more days',
    'Renew the certificate that is named and load it into the service that uses it.',
  ),
  check(
    'file-changes-explained',
    'medium',
    'No watched file changed within 7 days without a package upgrade behind it',
    'Look at each change with its time and account; put the file back where nobody meant it.',
  ),
  check(
    'privileges-unchanged',
    'medium',
    'Nobody got a key, an account with rights or a sudo rule within 7 days',
    'Ask who gave it and why; take it back where nobody knows.',
  ),
  check(
    'detection-self-test',
    'high',
    'A planted record is found by its rule in time',
    'Run `vigil status`: it names the reader that is behind and the rules that are refused.',
  ),
] as const satisfies readonly Check[];

export type OwnCheckId = (typeof OWN_CHECKS)[number]['id'];

const OWN: ReadonlySet<string> = new Set(OWN_CHECKS.map(({ id }) => id));

/** True for a check that only the collector answers. */
export const isOwnCheck = (id: string): boolean => OWN.has(id);
