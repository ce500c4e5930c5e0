/**
 * Whether this process is able to do its work: checks that services add, and the phase that the lifecycle sets. Not ready
 * while starting, and from the first moment of a stop, so that nothing new is sent here.
 *
 * Asking is cheap and safe however often it is done: answers are shared for a second, and a check that hangs fails.
 */
import { messageOf } from './errors.js';

/** How long an answer of the checks is shared, ms. */
const FRESH_MS = 1_000;
/** A check that takes longer has failed, ms: below the time-outs of usual probes, which want an answer and not none. */
const CHECK_TIMEOUT_MS = 2_000;

export type HealthPhase = 'starting' | 'running' | 'stopping';

/** Says in a few words how things are. @throws what is wrong, for operators, without addresses. */
export type HealthCheck = () => string | Promise<string>;

export interface CheckResult {
  ok: boolean;
  detail: string;
}

export interface HealthReport {
  ready: boolean;
  phase: HealthPhase;
  checks: Record<string, CheckResult>;
}

export class Health {
  phase: HealthPhase = 'starting';
  readonly #checks = new Map<string, HealthCheck>();
  #results: Promise<[string, CheckResult][]> = Promise.resolve([]);
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @param everyMs how old its answer may get; for what is dear to ask. Default: asked each time. */
  add(name: string, check: HealthCheck, everyMs = 0): void {
    this.#checks.set(name, everyMs > 0 ? remembered(check, everyMs) : check);
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  async report(): Promise<HealthReport> {
    // Of what is being shut down the checks would tell nothing, and could hang.
    const results = this.phase === 'stopping' ? [] : await this.#shared();
    const ready = this.phase === 'running' && results.every(([, { ok }]) => ok);
    return { ready, phase: this.phase, checks: Object.fromEntries(results) };
  }

  #shared(): Promise<[string, CheckResult][]> {
    const now = performance.now();
    if (now - this.#askedAt > FRESH_MS) {
      this.#askedAt = now;
      const checks = [...this.#checks];
      this.#results = Promise.all(checks.map(async ([name, check]) => [name, await resultOf(check)]));
    }
    return this.#results;
  }
}

async function resultOf(check: HealthCheck): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer in ${CHECK_TIMEOUT_MS / 1_000} s`)),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    return { ok: true, detail: await Promise.race([check(), timeout]) };
  } catch (error) {
    return { ok: false, detail: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Only good answers are kept: what is wrong is asked again, so that mending it shows at once. */
function remembered(check: HealthCheck, everyMs: number): HealthCheck {
  let known: { detail: string; at: number } | undefined;
  return async () => {
    if (known && performance.now() - known.at < everyMs) return known.detail;
    const detail = await check();
    known = { detail, at: performance.now() };
    return detail;
  };
}
