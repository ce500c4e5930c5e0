/** The dashboard process over real HTTP: the wall around the operators' app. */
import { makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { System } from './system.js';

let system: System;
beforeAll(async () => {
  system = await System.start({ campaignsDir: makeCampaignDir({}) });
  system.spawn('dashboard');
  await waitFor('the dashboard', () =>
    fetch(`${system.dashboardUrl}/healthz`).then(
      (response) => response.ok,
      () => false,
    ),
  );
});
afterAll(() => system.stop());

async function logIn(password: string): Promise<Response> {
  const body = new URLSearchParams({ user: 'admin', password });
  return fetch(`${system.dashboardUrl}/login`, { method: 'POST', body, redirect: 'manual' });
}

async function cookie(): Promise<string> {
  const response = await logIn('correct horse');
  return response.headers
    .getSetCookie()
    .map((value) => value.split(';')[0])
    .join('; ');
}

describe("the operators' app", () => {
  it.each(['/', '/queues', '/queues/api/queues', '/queues/static/js/main.js', '/anything'])(
    'shows nothing of %s without a login',
    async (path) => {
      const response = await fetch(system.dashboardUrl + path, { redirect: 'manual' });
      expect([303, 401]).toContain(response.status);
      expect(await response.text()).not.toContain('sends');
    },
  );

  it('lets in with the password and not without it', async () => {
    expect((await logIn('wrong')).status).toBe(401);
    const response = await logIn('correct horse');
    expect(response.status).toBe(303);
    const [session] = response.headers.getSetCookie();
    expect(session).toMatch(/httponly/i);
    expect(session).toMatch(/samesite=strict/i);
    const page = await fetch(system.dashboardUrl, { headers: { cookie: await cookie() } });
    expect(await page.text()).toContain('No run yet');
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe-inline');
  });

  it('takes no forged cookie, no change from another site, and sends nobody elsewhere', async () => {
    const forged = Buffer.from(JSON.stringify({ user: 'admin' })).toString('base64');
    const response = await fetch(system.dashboardUrl, {
      headers: { cookie: `sendonce=${forged}; sendonce.sig=AAAA` },
      redirect: 'manual',
    });
    expect(response.headers.get('location')).toMatch(/^\/login/);
    const foreign = await fetch(`${system.dashboardUrl}/queues/api/queues/sends/pause`, {
      method: 'PUT',
      headers: { cookie: await cookie(), 'sec-fetch-site': 'cross-site' },
    });
    expect(foreign.status).toBe(403);
    const body = new URLSearchParams({ user: 'admin', password: 'correct horse', to: '//evil.example' });
    const login = await fetch(`${system.dashboardUrl}/login`, { method: 'POST', body, redirect: 'manual' });
    expect(login.headers.get('location')).toBe('/');
  });

  it('shows Bull Board with jobs as sentences and without addresses', async () => {
    system.spawn('worker');
    const run = await system.startRun();
    await system.whenFinished(run);
    const headers = { cookie: await cookie() };
    const board = await fetch(`${system.dashboardUrl}/queues/`, { headers });
    expect(await board.text()).toContain('Sendonce');
    const jobs = await (
      await fetch(`${system.dashboardUrl}/queues/api/queues?activeQueue=sends&status=completed`, { headers })
    ).text();
    expect(jobs).toContain(`send chunk 1 of 1 of ${run}`);
    expect(jobs).not.toContain('@example.com');
  });

  it('has nothing of it on the public port', async () => {
    for (const path of ['/', '/login', '/queues'])
      expect((await fetch(system.publicUrl + path)).status).toBe(404);
  });
});
