// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil status`: what runs, how far each reader lags, silent agents, counts, what to do; and the one line that `start` keeps showing.
 * Input: a running collector. Output: a page for people, the API's answer for programs.
 */
import type { StatusView } from '../http/status.ts';
import { callCollector, type Target } from './client.ts';
import { countText, jsonLine, sizeText, spanText, styled, type Terminal, table, visible } from './terminal.ts';

export const runStatus = async (target: Target, json: boolean, terminal: Terminal): Promise<void> => {
  const status = await callCollector<StatusView>(target, { path: '/api/v1/status' });
  if (json) {
    terminal.out(jsonLine(status));
    return;
  }
  terminal.out(`${statusLine(status)}\n`);
  const { store, journal, process: own } = status;
  terminal.out(
    `\n${styled(terminal, 'bold', 'Kept')}  ${countText(store.events)} events in ${sizeText(store.bytes)} and ${countText(store.files)} files; journal ${sizeText(journal.bytes)}\n` +
      `${styled(terminal, 'bold', 'Cost')}  collector ${sizeText(own.rssBytes)}, query engine ${sizeText(store.engineRssBytes)}${store.engineRestarts > 0 ? `, restarted ${store.engineRestarts} times` : ''}; longest block of the main thread ${Math.round(own.longestBlockMs)} ms\n`,
  );
  if (status.streams.length > 0) {
    const rows = status.streams.map((one) => [
      one.host,
      one.stream,
      one.dataset,
      countText(one.seq),
      sizeText(one.behindBytes),
      one.redacted === 0 ? '–' : countText(one.redacted),
      one.readUpTo === null ? '–' : `${spanText(Date.parse(status.time) - Date.parse(one.readUpTo))} ago`,
    ]);
    terminal.out(
      `\n${table(terminal, [{ title: 'host', max: 24 }, { title: 'source', max: 56 }, { title: 'dataset' }, { title: 'records', align: 'right' }, { title: 'behind', align: 'right' }, { title: 'redacted', align: 'right' }, { title: 'read', align: 'right' }], rows)}\n`,
    );
  }
  if (status.failed.length > 0) {
    const rows = status.failed.map(({ dataset, pattern, count }) => [countText(count), dataset, pattern]);
    terminal.out(
      `\n${table(terminal, [{ title: 'not understood', align: 'right' }, { title: 'dataset' }, { title: 'shape', max: 100 }], rows)}\n`,
    );
  }
  for (const { text, about, hint, code } of status.conditions)
    terminal.out(`\n${styled(terminal, 'bold', visible(about))} ${visible(text)}\n  ${visible(hint)} (${visible(code)})\n`);
};

/** The honest line: hosts, sources, lag, loss, rules. */
export const statusLine = (status: StatusView): string =>
  [
    `hosts ${status.hosts.reporting} of ${status.hosts.expected} reporting`,
    `sources ${status.sources.reading}${status.sources.unreadable > 0 ? `, ${status.sources.unreadable} not readable` : ''}`,
    `records ${countText(status.records)}`,
    `lag search ${spanText(status.lag.storeMs)}, detect ${spanText(status.lag.detectMs)}`,
    `lost ${countText(status.lost)}`,
    `rules ${countText(status.rules.loaded)}${status.rules.refused > 0 ? `, ${status.rules.refused} refused` : ''}`,
  ].join(' · ');
