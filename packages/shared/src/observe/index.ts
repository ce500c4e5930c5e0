/** What others see of a process: its metrics, the state of the whole installation, what it needs to be ready. */
export { addContinuityCheck, addLedgerChecks, checkRedis } from './checks.js';
export { EventMetrics } from './eventMetrics.js';
export { type Counter, type Gauge, type Histogram, ProcessMetrics } from './processMetrics.js';
export { startTracing } from './startTracing.js';
export { SystemState, type SystemStateServices } from './systemState.js';
