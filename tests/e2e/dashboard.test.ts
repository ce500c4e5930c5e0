/** The dashboard process over real HTTP: the wall around the operators' app. */
import { once } from 'node:events';
import { makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, System } from './system.js';

let system: System;
beforeAll(async () => {
  system = await System.start({ campaignsDir: makeCampaignDir({}, { id: 'doubtful' }) });
  await system.startDashboardPorts();
});
afterAll(() => system.stop());

describe("the operators' app", () => {
  it.each([
    '/',
    '/runs/x/in-doubt',
    '/queues',
    '/queues/api/queues',
    '/queues/static/js/main.js',
    '/anything',
  ])('shows nothing of %s without a login', async (path) => {
    const response = await fetch(system.dashboardUrl + path, { redirect: 'manual' });
    expect([303, 401]).toContain(response.status);
    expect(await response.text()).not.toContain('sends');
  });

  it('lets in with the password and not without it', async () => {
    expect((await system.logIn('wrong')).status).toBe(401);
    const response = await system.logIn(PASSWORD);
    expect(response.status).toBe(303);
    const [session] = response.headers.getSetCookie();
    expect(session).toMatch(/httponly/i);
    expect(session).toMatch(/samesite=strict/i);
    const page = await fetch(system.dashboardUrl, { headers: { cookie: await system.cookie() } });
    expect(await page.text()).toContain('No run yet');
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe-inline');
  });

  it.each(['/', '/login', '/runs/x/in-doubt', '/nothing', '/queues', '/queuesx'])(
    'lets %s load nothing from elsewhere',
    async (path) => {
      const headers = { cookie: await system.cookie() };
      const { headers: answered } = await fetch(system.dashboardUrl + path, { headers });
      const policy = answered.get('content-security-policy');
      expect(policy).toContain(path === '/queues' ? "default-src 'self'" : "default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(answered.get('x-content-type-options')).toBe('nosniff');
    },
  );

  it('takes no forged cookie, no change from another site, and sends nobody elsewhere', async () => {
    const forged = Buffer.from(JSON.stringify({ user: 'admin' })).toString('base64');
    const response = await fetch(system.dashboardUrl, {
      headers: { cookie: `sendonce=${forged}; sendonce.sig=AAAA` },
      redirect: 'manual',
    });
    expect(response.headers.get('location')).toMatch(/^\/login/);
    const foreign = await fetch(`${system.dashboardUrl}/queues/api/queues/sends/pause`, {
      method: 'PUT',
      headers: { cookie: await system.cookie(), 'sec-fetch-site': 'cross-site' },
    });
    expect(foreign.status).toBe(403);
    const body = new URLSearchParams({ user: 'admin', password: PASSWORD, to: '//evil.example' });
    const login = await fetch(`${system.dashboardUrl}/login`, { method: 'POST', body, redirect: 'manual' });
    expect(login.headers.get('location')).toBe('/');
  });

  it('shows Bull Board with jobs as sentences and without addresses', async () => {
    system.spawn('worker');
    const run = await system.startRun();
    await system.whenFinished(run);
    const headers = { cookie: await system.cookie() };
    const board = await fetch(`${system.dashboardUrl}/queues/`, { headers });
    expect(await board.text()).toContain('Sendonce');
    const jobs = await (
      await fetch(`${system.dashboardUrl}/queues/api/queues?activeQueue=sends&status=completed`, { headers })
    ).text();
    expect(jobs).toContain(`send chunk 1 of 1 of ${run}`);
    expect(jobs).not.toContain('@example.com');
  });

  it("lists who is in doubt, and takes an operator's word on one and on all of them", async () => {
    const run = await system.startRun('doubtful');
    await system.setFaults({ rules: [{ fault: 'refuse-then-reset', recipients: ['reader*@example.com'] }] });
    await waitFor('the doubts', async () => (await system.runs.find(run))?.numbers.in_doubt === 3);
    await system.setFaults({ rules: [] });
    const url = `${system.dashboardUrl}/runs/${run}/in-doubt`;
    const headers = await system.operatorHeaders();
    expect((await fetch(url, { redirect: 'manual' })).status).not.toBe(200);
    expect(await (await fetch(system.dashboardUrl, { headers })).text()).toContain(`3 in doubt in ${run}`);
    const list = await (await fetch(url, { headers })).text();
    expect(list).toContain('r…@example.com');
    expect(list).not.toContain('reader1@example.com');
    const say = (form: Record<string, string>) =>
      fetch(url, { method: 'POST', headers, body: new URLSearchParams(form), redirect: 'manual' });
    expect((await say({ verdict: 'maybe' })).status).toBe(400);
    expect(await (await say({ verdict: 'show' })).text()).toContain('reader1@example.com');
    expect((await say({ verdict: 'sent', only: '0/1' })).status).toBe(303);
    expect((await system.runs.get(run)).numbers).toMatchObject({ in_doubt: 2, sent: 1 });
    const trail = await (await fetch(`${system.dashboardUrl}/audit`, { headers })).text();
    expect(trail).toContain('doubts.settle');
    expect(trail).toContain('sent, recipient 0/1: 1 settled');
    expect(trail).not.toContain('@example.com');
    expect((await say({ verdict: 'resend' })).status).toBe(303);
    expect((await system.runs.get(run)).numbers.in_doubt, 'their requests may still be accepted').toBe(2);
    expect(list).toContain('not yet');
    await waitFor('the fence', async () => {
      await say({ verdict: 'resend' });
      return (await system.runs.get(run)).numbers.in_doubt === 0;
    });
    await system.whenFinished(run);
    expect(await system.inbox(run)).toMatchObject({ messages: 2, duplicates: 0 });
    expect((await fetch(`${system.dashboardUrl}/runs/none/in-doubt`, { headers })).status).toBe(404);
  });

  it('does not start where others could reach it without a login', async () => {
    const open = { DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PASSWORD: '', DASHBOARD_PORT: '0', PUBLIC_PORT: '0' };
    const [code] = await once(system.spawn('dashboard', open), 'exit');
    expect(code).toBe(2);
  });

  it('has nothing of it on the public port', async () => {
    for (const path of ['/', '/login', '/queues', '/api/v1/runs', '/api/v1/docs'])
      expect((await fetch(system.publicUrl + path)).status).toBe(404);
  });
});
