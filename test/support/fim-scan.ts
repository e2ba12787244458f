// SPDX-License-Identifier: Apache-2.0
/**
 * One scan in a process of its own, for tests that need another user or another view of the file system.
 * Input: a state folder and a path. Output: what was told, as one line of JSON.
 */
import { openDriver } from './fim-driver.ts';

const [dir = '', path = ''] = process.argv.slice(2);
const driver = await openDriver({ dir, paths: [path], watch: false });
await driver.until('the scan', () => driver.fim.progress()[0]!.counts['scans']! > 0);
const reasons = driver.facts.flatMap(({ fields }) => (typeof fields['reason'] === 'string' ? [fields['reason']] : []));
process.stdout.write(`${JSON.stringify({ items: driver.facts.map(({ item }) => item), reasons, problems: driver.fim.problems() })}\n`);
await driver.close();
