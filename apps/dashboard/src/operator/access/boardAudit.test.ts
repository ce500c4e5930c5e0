import { ensureSendJobs } from '@sendonce/shared/queue';
import { waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routesOf } from '../../testing/routes.js';
import { type Dashboard, loggedIn, openDashboard } from '../../testing/setup.js';
import { bullBoard } from '../bullBoard.js';
import { deedOf } from './boardAudit.js';

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard.close());

const DEEDS: Record<string, [action: string, subject: string]> = {
  'PUT /api/queues/pause': ['queue.pause', 'all queues'],
  'PUT /api/queues/resume': ['queue.resume', 'all queues'],
  'POST /api/queues/:queueName/add': ['queue.change', 'sends'],
  'PUT /api/queues/:queueName/retry/:queueStatus': ['job.retry', 'sends'],
  'PUT /api/queues/:queueName/promote': ['job.promote', 'sends'],
  'PUT /api/queues/:queueName/clean/:queueStatus': ['queue.clean', 'sends'],
  'PUT /api/queues/:queueName/pause': ['queue.pause', 'sends'],
  'PUT /api/queues/:queueName/resume': ['queue.resume', 'sends'],
  'PUT /api/queues/:queueName/concurrency': ['queue.change', 'sends'],
  'PUT /api/queues/:queueName/rate-limit': ['queue.change', 'sends'],
  'PUT /api/queues/:queueName/rate-limit/release': ['queue.change', 'sends'],
  'PUT /api/queues/:queueName/empty': ['queue.clean', 'sends'],
  'PUT /api/queues/:queueName/obliterate': ['queue.clean', 'sends'],
  'PUT /api/queues/:queueName/job-schedulers/:schedulerId/remove': ['queue.change', 'sends'],
  'PATCH /api/queues/:queueName/job-schedulers/:schedulerId': ['queue.change', 'sends'],
  'PUT /api/queues/:queueName/job-schedulers/:schedulerId/run': ['queue.change', 'sends'],
  'PUT /api/queues/:queueName/:jobId/retry': ['job.retry', 'sends: news--1/0'],
  'PUT /api/queues/:queueName/:jobId/clean': ['job.remove', 'sends: news--1/0'],
  'PUT /api/queues/:queueName/:jobId/promote': ['job.promote', 'sends: news--1/0'],
  'PATCH /api/queues/:queueName/:jobId/update-data': ['job.change', 'sends: news--1/0'],
  'PATCH /api/queues/:queueName/:jobId/delay': ['job.change', 'sends: news--1/0'],
  'PATCH /api/queues/:queueName/:jobId/priority': ['job.change', 'sends: news--1/0'],
  'PUT /api/queues/:queueName/:jobId/remove-unprocessed-children': ['job.change', 'sends: news--1/0'],
};

describe("what is done by Bull Board's buttons", () => {
  it('has a word for each of them', () => {
    const routes = routesOf(bullBoard(dashboard.queues, '/queues', { readOnlyMode: false }));
    const changing = routes.filter(({ method }) => method !== 'GET');
    const names = changing.map(({ method, path }) => `${method} ${path}`);
    expect(names.sort()).toEqual(Object.keys(DEEDS).sort());
    for (const { method, path } of changing) {
      const filled = path
        .replace(':queueName', 'sends')
        .replace(':jobId', 'news--1%2F0')
        .replace(/:\w+/g, 'x');
      const { action, subject } = deedOf(method, filled);
      expect([action, subject], path).toEqual(DEEDS[`${method} ${path}`]);
    }
  });

  it('is in the trail with who, what, and the outcome, and on its page', async () => {
    const { audit, queues, url } = dashboard;
    await ensureSendJobs(queues.sends, { run: 'news--1', chunks: 1 }, [0]);
    const operator = await loggedIn(url, 'olga');
    const put = (path: string) =>
      operator.fetch(`/queues/api/queues/${path}`, {
        method: 'PUT',
        headers: { 'sec-fetch-site': 'same-origin' },
      });
    await put('sends/pause');
    await put('sends/none/retry');
    await put('sends/news--1%2F0/clean');
    const entries = await waitFor('three entries', async () => {
      const list = (await audit.list({ limit: 9 })).filter(({ action }) => action !== 'login');
      return list.length === 3 && list;
    });
    expect(entries.map(({ action, subject, outcome }) => [action, subject, outcome]).sort()).toEqual([
      ['job.remove', 'sends: news--1/0', 'done'],
      ['job.retry', 'sends: none', 'refused'],
      ['queue.pause', 'sends', 'done'],
    ]);
    const page = await (await operator.fetch('/audit')).text();
    expect(page).toContain('<td>olga</td><td>dashboard</td>');
    expect(page).toContain('Bull Board: PUT sends/pause');
  });

  it('comes in pages', async () => {
    const { audit, url } = dashboard;
    for (let number = 0; number < 120; number++)
      await audit.record({
        who: 'kim',
        via: 'api',
        action: 'run.pause',
        subject: `<b>run-${number}</b>`,
        outcome: 'done',
      });
    const viewer = await loggedIn(url, 'vera');
    const first = await (await viewer.fetch('/audit')).text();
    expect(first).toContain('&#60;b&#62;run-119');
    const [, older = ''] = /href="(\/audit\?before=[^"]+)"/.exec(first) ?? [];
    const second = await (await viewer.fetch(older)).text();
    expect(second).toContain('run-0&#60;');
    expect(second).not.toContain('run-119&#60;');
    expect(second).not.toContain('Older');
  });
});
