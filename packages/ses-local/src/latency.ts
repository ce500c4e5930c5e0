/** How long something takes, ms: always the same, between two bounds, or log-normal, which real services resemble. */
export type Latency = number | { min: number; max: number } | { p50: number; p99: number };

/** z(0.99) of the normal distribution: how many standard deviations p99 lies over the median. */
const Z99 = 2.3263;

/** @param uniform draws from [0, 1). */
export function sampleLatency(latency: Latency, uniform: () => number): number {
  if (typeof latency === 'number') return latency;
  if ('min' in latency) return latency.min + (latency.max - latency.min) * uniform();
  const sigma = Math.log(Math.max(latency.p99 / latency.p50, 1)) / Z99;
  // Box and Muller; the logarithm of 0 is avoided.
  const normal =
    Math.sqrt(-2 * Math.log(Math.max(uniform(), Number.MIN_VALUE))) * Math.cos(2 * Math.PI * uniform());
  return latency.p50 * Math.exp(sigma * normal);
}
