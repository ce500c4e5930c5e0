/** The door to tracing: what is behind it is loaded only where somebody wants traces, so that off costs nothing. */
import type { ProcessName, Settings } from '../runtime/index.js';
import type { Tracing } from './tracing.js';

/** Undefined: OTEL_EXPORTER_OTLP_ENDPOINT is not set. To be stopped last, since it sends what others have measured. */
export async function startTracing(
  name: ProcessName,
  { tracing }: Pick<Settings, 'tracing'>,
): Promise<Tracing | undefined> {
  if (!tracing) return undefined;
  const loaded = await import('./tracing.js');
  return new loaded.Tracing(name, tracing);
}
