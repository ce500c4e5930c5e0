import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again until the answer is not undefined, false or null.
 * @param timeoutMs only for what never comes: a busy machine is slow.
 * @throws after the time-out, with what was waited for.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<Exclude<T, undefined | false | null>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null)
      return answer as Exclude<T, undefined | false | null>;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for: ${what}`);
    await sleep(25);
  }
}
