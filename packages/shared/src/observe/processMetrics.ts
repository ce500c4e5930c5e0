/**
 * The metrics of a process, for Prometheus. Labels are words of closed sets: no recipient, and no campaign or run either,
 * because 1,000 campaigns would be 1,000 times the series, for good. What one run does, `sendonce report` and the pages say.
 */
import type { Alerts } from '@sendonce/alerts';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

import type { Health, MetricsSource } from '../runtime/index.js';
import type { SystemState } from './systemState.js';

/** Gauges of prom-client that are called counters; promtool objects, and nobody would miss them. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export class ProcessMetrics implements MetricsSource {
  readonly #registry = new Registry();
  readonly #beforeRead: () => Promise<void>;
  #state: SystemState | undefined;

  /** Of Node itself: memory, processor time, how late the event loop is. */
  constructor({ alerts, health }: { alerts: Alerts; health: Health }) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    const ready = this.gauge('sendonce_ready', 'Whether this process is ready for its work.');
    const attempts = this.counter('sendonce_alerts_total', 'Alerts to administrators, by way and outcome.', [
      'channel',
      'outcome',
    ]);
    this.#beforeRead = async () => {
      ready.set((await health.report()).ready ? 1 : 0);
      attempts.reset();
      for (const { channel, outcome, times } of alerts.attempts()) attempts.inc({ channel, outcome }, times);
    };
  }

  /** What all processes tell alike; read when Prometheus asks. */
  include(state: SystemState): void {
    this.#state = state;
  }

  counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.#registry] });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async metrics(): Promise<string> {
    await Promise.all([this.#beforeRead(), this.#state?.refresh()]);
    return this.#registry.metrics();
  }
}
