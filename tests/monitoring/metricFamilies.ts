/** What processes export, read by a parser that is not the exporter's own, and held to the rules of `promtool check metrics`. */
import parse from 'parse-prometheus-text-format';

export type MetricFamily = ReturnType<typeof parse>[number];

export async function readMetrics(health: string): Promise<{ text: string; families: MetricFamily[] }> {
  const response = await fetch(`${health}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  const text = await response.text();
  return { text, families: parse(text) };
}

/** https://github.com/prometheus/prometheus/tree/main/util (promlint) */
export function lint(families: readonly MetricFamily[]): string[] {
  return families.flatMap(({ name, help, type, metrics }) => [
    ...(help ? [] : [`${name} has no help`]),
    ...(type === 'UNTYPED' ? [`${name} has no type`] : []),
    ...(/^[a-z][a-z0-9_]*$/.test(name) ? [] : [`${name} is not in snake case`]),
    ...((type === 'COUNTER') === name.endsWith('_total')
      ? []
      : [`${name}: _total is for counters, and all of them`]),
    ...(/_(ms|milliseconds|minutes|hours|kb|kilobytes|percent)(_|$)/.test(name)
      ? [`${name} is in no base unit`]
      : []),
    ...(/(gauge|counter|histogram|summary)/.test(name) ? [`${name} tells its type`] : []),
    ...(type === 'HISTOGRAM' && !/_(seconds|bytes)$/.test(name) ? [`${name} tells no unit`] : []),
    ...(/_(count|sum|bucket)$/.test(name) && type !== 'HISTOGRAM' ? [`${name} ends as a histogram's`] : []),
    // Node's own may have nothing to tell.
    ...(metrics.length > 0 || !name.startsWith('sendonce_') ? [] : [`${name} has no series`]),
  ]);
}

/** Names as queries use them: a histogram's are those of its parts. */
export function queryNames({ name, type }: MetricFamily): string[] {
  return type === 'HISTOGRAM' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name];
}
