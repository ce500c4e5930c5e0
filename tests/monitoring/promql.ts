/** What a PromQL expression asks for, by Prometheus's own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

export interface Query {
  metrics: string[];
  /** In matchers and groupings. */
  labels: string[];
  /** Of matchers with `=`. */
  values: string[];
}

/** @throws when it is no PromQL. */
export function readQuery(expression: string): Query {
  // Grafana's own, put in before Prometheus sees it.
  const text = expression.replaceAll('$__rate_interval', '1m');
  const query: Query = { metrics: [], labels: [], values: [] };
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      const here = text.slice(from, to);
      if (type.isError) throw new Error(`No PromQL at ${from}: ${expression}`);
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector') query.metrics.push(here);
      if (type.name === 'LabelName') query.labels.push(here);
      if (type.name === 'StringLiteral' && /[^!]="?$/.test(text.slice(0, from)))
        query.values.push(here.slice(1, -1));
    },
  });
  return query;
}
