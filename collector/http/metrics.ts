// SPDX-License-Identifier: Apache-2.0
/**
 * Figures for Prometheus: those of the process, of this API, and whatever the wiring counts.
 * Input: a function that answers figures at each scrape; every answered request. Output: the text of /metrics.
 */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Figure {
  /** `vigil_…`, with its unit at the end: `_bytes`, `_seconds`, `_total`. */
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

export interface Metrics {
  readonly type: string;
  text(): Promise<string>;
  /** Route is the declared path, never the one that was asked for. */
  observe(method: string, route: string, status: number, seconds: number): void;
}

/** Opens a registry of its own, so that two collectors in one process (tests) do not share counts. */
export const openMetrics = (figures: () => readonly Figure[]): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'vigil_http_request_duration_seconds',
    help: 'Time to answer a request of console or API.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  const gauges = new Map<string, Gauge>();
  const gaugeOf = ({ name, help, values }: Figure): Gauge => {
    const known = gauges.get(name);
    if (known !== undefined) return known;
    const gauge = new Gauge({ name, help, labelNames: Object.keys(values[0]?.labels ?? {}), registers: [registry] });
    gauges.set(name, gauge);
    return gauge;
  };
  return {
    type: registry.contentType,
    text: () => {
      for (const figure of figures()) {
        const gauge = gaugeOf(figure);
        gauge.reset();
        for (const { labels, value } of figure.values) gauge.set({ ...labels }, value);
      }
      return registry.metrics();
    },
    observe: (method, route, status, seconds) => requests.observe({ method, route, status: String(status) }, seconds),
  };
};
