/**
 * What the processes really export, while a run goes through them: read by parsers that are not ours, and held against the
 * dashboard and the rules that come with Sendonce.
 */
import { readFileSync } from 'node:fs';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { System } from '../e2e/system.js';
import { lint, type MetricFamily, queryNames, readMetrics } from './metricFamilies.js';
import { readQuery } from './promql.js';

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; refId: string; datasource: { uid: string } }[];
}
const grafana = JSON.parse(file('deploy/grafana/sendonce.json')) as { panels: Panel[]; uid: string };
const { groups } = parse(file('deploy/prometheus/alerts.yml')) as {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
};
const rules = groups.flatMap((group) => group.rules);

let system: System;
let families: MetricFamily[];
const texts: Record<string, string> = {};

beforeAll(async () => {
  const campaignsDir = makeCampaignDir({ csv: makeCsv(300) });
  system = await System.start({ campaignsDir });
  const [dashboard, worker, scheduler] = await Promise.all([
    system.spawnWatched('dashboard'),
    system.spawnWatched('worker'),
    system.spawnWatched('scheduler'),
  ]);
  await system.whenSubscribed();
  // So that every outcome has been seen.
  await system.setFaults({
    rules: [
      { fault: 'message-rejected', recipients: ['reader7@*'] },
      { fault: 'throttle', recipients: ['reader9@*'], count: 1 },
      { fault: 'accept-then-reset', recipients: ['reader11@*'] },
    ],
  });
  const run = await system.startRun();
  await waitFor('everybody to be served', async () => {
    const { numbers } = await system.runs.get(run);
    return numbers.queued + numbers.claimed === 0 && numbers.audience === 300;
  });
  await waitFor('events in the metrics', async () =>
    /sendonce_ses_events_total\{type="delivery",outcome="settled"\} [1-9]/.test(
      (await readMetrics(dashboard.health)).text,
    ),
  );
  const all = new Map<string, MetricFamily>();
  for (const [name, { health }] of Object.entries({ worker, scheduler, dashboard })) {
    const metrics = await readMetrics(health);
    texts[name] = metrics.text;
    // One process may have no series yet of what another one counts.
    for (const family of metrics.families)
      all.set(family.name, {
        ...family,
        metrics: [...(all.get(family.name)?.metrics ?? []), ...family.metrics],
      });
  }
  families = [...all.values()];
});
afterAll(() => system?.stop());

describe('metrics', () => {
  it('pass the rules of promtool', () => {
    expect(lint(families)).toEqual([]);
    expect(families.length).toBeGreaterThan(40);
  });

  it('tell what has happened', () => {
    expect(texts.worker).toContain('sendonce_recipients_settled_total{state="rejected"} 1\n');
    expect(texts.worker).toContain('sendonce_ses_throttled_total 1\n');
    expect(texts.worker).toContain('sendonce_ses_request_duration_seconds_count{outcome="unknown"} 1\n');
    expect(texts.worker).toMatch(/sendonce_claim_duration_seconds_count [1-9]/);
    for (const text of Object.values(texts)) {
      expect(text).toContain('sendonce_ready 1\n');
      expect(text).toContain('sendonce_redis_up 1\n');
    }
  });

  it('hold no recipient, no campaign and no run', () => {
    const values = families.flatMap(labelsOf).flatMap((labels) => Object.values(labels));
    expect(values.length).toBeGreaterThan(50);
    expect(values.filter((value) => /@|reader|news|example/.test(value))).toEqual([]);
  });

  it('are not served on the ports of operators and of the public', async () => {
    for (const url of [system.dashboardUrl, system.publicUrl]) {
      const response = await fetch(`${url}/metrics`, { redirect: 'manual' });
      expect(response.status, url).not.toBe(200);
      expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ready: true });
    }
  });
});

/** From the text: the parser leaves the labels of histograms out. */
function labelsOf({ name }: MetricFamily): Record<string, string>[] {
  const lines = Object.values(texts)
    .join('')
    .matchAll(new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, 'gm'));
  return Array.from(lines, ([, text = '']) =>
    Object.fromEntries(Array.from(text.matchAll(/(\w+)="(.*?)"/g), ([, label, value]) => [label, value])),
  );
}

/** A name that no process exports, or a label that the metric does not have, is a panel that stays empty. */
function expectAnswerable(expression: string): void {
  const names = new Set(families.flatMap(queryNames));
  const query = readQuery(expression);
  expect(
    query.metrics.filter((name) => !names.has(name)),
    expression,
  ).toEqual([]);
  expect(query.metrics.length, expression).toBeGreaterThan(0);
  const asked = families.filter((family) => queryNames(family).some((name) => query.metrics.includes(name)));
  const labels = asked.flatMap(labelsOf);
  const known = new Set([...labels.flatMap(Object.keys), 'job', 'instance', 'le']);
  expect(
    query.labels.filter((name) => !known.has(name)),
    expression,
  ).toEqual([]);
  const values = new Set(labels.flatMap(Object.values));
  expect(
    query.values.filter((value) => !values.has(value)),
    expression,
  ).toEqual([]);
}

describe("Grafana's dashboard", () => {
  const expressions = grafana.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  it('asks for nothing that no process exports', () => {
    expect(expressions.length).toBeGreaterThan(25);
    for (const expression of expressions) expectAnswerable(expression);
  });

  it('has panels with ids of their own that do not lie on each other', () => {
    expect(new Set(grafana.panels.map(({ id }) => id)).size).toBe(grafana.panels.length);
    const cells = grafana.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(grafana.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('shows every metric of ours that an operator would look for', () => {
    const shown = new Set(expressions.flatMap((expression) => readQuery(expression).metrics));
    const missing = families
      .filter(({ name }) => name.startsWith('sendonce_'))
      .filter((family) => !queryNames(family).some((name) => shown.has(name)))
      .map(({ name }) => name);
    expect([...new Set(missing)].sort()).toEqual([]);
  });
});

describe("Prometheus's rules", () => {
  it('ask for nothing that no process exports, and say what to do', () => {
    expect(rules.length).toBeGreaterThan(5);
    for (const { expr, annotations, alert } of rules) {
      expectAnswerable(expr);
      expect(Object.keys(annotations), alert).toEqual(['summary', 'action']);
    }
  });
});
