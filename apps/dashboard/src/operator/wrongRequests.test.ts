/** What is too large, malformed or unknown: the right status, a clear page, and nothing changed. */
import { makeSnapshot } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, type Dashboard, loggedIn, openDashboard } from '../testing/setup.js';

let dashboard: Dashboard;
let operator: Browser;
let csrf: string;
let run: string;
beforeAll(async () => {
  dashboard = await openDashboard();
  operator = await loggedIn(dashboard.url, 'olga');
  csrf = await operator.csrf();
  ({ run } = await dashboard.runs.create(await makeSnapshot(3), new Date(), 'manual'));
});
afterAll(() => dashboard.close());

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

describe('a request', () => {
  it.each([
    [
      'a form that is too large',
      413,
      'POST',
      () => `/runs/${run}/in-doubt`,
      FORM,
      `verdict=sent&x=${'x'.repeat(20_000)}`,
    ],
    [
      'a login that is too large',
      413,
      'POST',
      () => '/login',
      FORM,
      `user=olga&password=${'x'.repeat(20_000)}`,
    ],
    [
      'a job that is too large',
      413,
      'POST',
      () => '/queues/api/queues/sends/add',
      JSON_TYPE,
      `{"x":"${'x'.repeat(200_000)}"}`,
    ],
    ['a form without what it needs', 400, 'POST', () => `/runs/${run}/in-doubt`, FORM, ''],
    ['a form with another value', 400, 'POST', () => `/runs/${run}/in-doubt`, FORM, 'verdict=maybe'],
    [
      'a form with a value twice',
      400,
      'POST',
      () => `/runs/${run}/in-doubt`,
      FORM,
      'verdict=sent&verdict=resend',
    ],
    ['a body that is no form', 400, 'POST', () => `/runs/${run}/in-doubt`, JSON_TYPE, '{"verdict":'],
    ['a login without a name', 400, 'POST', () => '/login', FORM, 'password=x'],
    ['JSON that is none', 400, 'POST', () => '/queues/api/queues/sends/add', JSON_TYPE, '{"name":'],
    ['a place in the trail that is none', 400, 'GET', () => '/audit?before=x', '', ''],
    ['two places in the trail', 400, 'GET', () => '/audit?before=1-1&before=1-2', '', ''],
    ['a path that is malformed', 400, 'GET', () => '/runs/%E0%A4%A/in-doubt', '', ''],
    ['a page that is not there', 404, 'GET', () => '/nowhere', '', ''],
    ['a run that is not there', 404, 'GET', () => '/runs/news--20200101T000000Z/in-doubt', '', ''],
    [
      'a change of a run that is not there',
      404,
      'POST',
      () => '/runs/news--20200101T000000Z/in-doubt',
      FORM,
      'verdict=sent',
    ],
    ['a run whose id is none', 404, 'GET', () => '/runs/..%2F..%2Fx/in-doubt', '', ''],
    ['a queue that is not there', 404, 'PUT', () => '/queues/api/queues/none/pause', JSON_TYPE, ''],
    ['a job that is not there', 404, 'PUT', () => '/queues/api/queues/sends/none/retry', JSON_TYPE, ''],
  ])('with %s is answered with %i', async (_, status, method, path, type, body) => {
    const { runs, queues } = dashboard;
    const state = async () => JSON.stringify([await runs.get(run), await queues.sends.getJobCounts()]);
    const before = await state();
    const headers = {
      'x-csrf-token': csrf,
      'sec-fetch-site': 'same-origin',
      ...(type && { 'content-type': type }),
    };
    const answer = await operator.fetch(path(), { method, headers, ...(body && { body }) });
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(text).toMatch(path().startsWith('/queues/api') ? /"error"/ : /<title>/);
    expect(text).not.toMatch(/\n\s+at |node_modules/);
    expect(await state()).toBe(before);
    expect((await operator.fetch('/')).status, 'the session goes on').toBe(200);
  });
});
