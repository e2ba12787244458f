// SPDX-License-Identifier: Apache-2.0
/**
 * One scan in a process of its own, for tests that need another user, another view of the file system, or a process to kill.
 * Input: a state folder and a path; `hold` as a third word seals nothing and stays. Output: what was told, as one line of JSON.
 */
import { openDriver } from './fim-driver.ts';

const [dir = '', path = '', hold] = process.argv.slice(2);
const driver = await openDriver({ dir, paths: [path], watch: false }, () => hold === undefined);
await driver.until('the scan', () => (hold === undefined ? driver.fim.progress()[0]!.counts['scans']! > 0 : driver.facts.length > 0));
const reasons = driver.facts.flatMap(({ fields }) => (typeof fields['reason'] === 'string' ? [fields['reason']] : []));
process.stdout.write(`${JSON.stringify({ items: driver.facts.map(({ item }) => item), reasons, problems: driver.fim.problems() })}\n`);
if (hold === undefined) await driver.close();
else await driver.until('the end', () => false, 60_000);
