/** A process that freezes one run, as a worker does, and tells how long that took and how much memory it ever had. */
import { Ledger } from '@sendonce/shared/ledger';
import { freezeRun, Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';

export interface FreezerReport {
  seconds: number;
  /** The most that it ever had, MB. */
  peakMb: number;
}

const { REDIS_URL: url = '', REDIS_PREFIX: prefix = '', RUN: run = '' } = process.env;
const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
const services = {
  clock,
  ledger: new Ledger({ redis, prefix }),
  runs: new Runs({ redis, prefix, clock }),
  suppressions: new SuppressionList({ redis, prefix, clock }),
};
const beganAt = performance.now();
await freezeRun(services, run);
const seconds = (performance.now() - beganAt) / 1_000;
const report: FreezerReport = { seconds, peakMb: process.resourceUsage().maxRSS / 1_024 };
await closeRedis(redis);
process.send?.(report, () => process.disconnect());
