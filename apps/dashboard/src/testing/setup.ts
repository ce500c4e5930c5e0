/** The operators' app over real HTTP and a real Redis, and people who use it as browsers do. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashPassword } from '@sendonce/shared/access';
import { AuditTrail } from '@sendonce/shared/audit';
import { readHold } from '@sendonce/shared/continuity';
import { SchedulePauses } from '@sendonce/shared/control';
import { MailOutcomes, ReputationWindow } from '@sendonce/shared/events';
import { Ledger } from '@sendonce/shared/ledger';
import { Clicks } from '@sendonce/shared/links';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { type DashboardSettings, makeLogger } from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { MESSAGE_YAML, makeCampaignDir, openTestRedis, StubClock } from '@sendonce/shared/testing';
import { Router } from 'express';
import { type OperatorServices, operatorApp } from '../operator/operatorApp.js';

export const PASSWORD = 'correct horse';
/** Hashed once: it is meant to be slow. */
const passwordHash = await hashPassword(PASSWORD);

export const PEOPLE = {
  users: [
    { name: 'olga', role: 'operator', passwordHash },
    { name: 'vera', role: 'viewer', passwordHash },
  ],
} satisfies Partial<DashboardSettings>;

export type Dashboard = Awaited<ReturnType<typeof openDashboard>>;

/** @param settings beside olga, who is an operator, and vera, who is a viewer. */
export async function openDashboard(
  settings: Partial<DashboardSettings> = {},
  options: Pick<OperatorServices, 'loginLimits'> = {},
) {
  const { redis, prefix, close: closeRedis } = await openTestRedis();
  const clock = new StubClock(Date.now());
  const queues = openQueues(redis, prefix);
  const runs = new Runs({ redis, prefix, clock });
  const audit = new AuditTrail({ redis, prefix, clock });
  const limits = { bounceWarn: 1, bouncePause: 1, complaintWarn: 1, complaintPause: 1 };
  const services: OperatorServices = {
    audit,
    clock,
    clicks: new Clicks({ redis }, { prefix, retentionMs: 86_400_000 }),
    ledger: new Ledger({ redis, prefix }),
    logger: makeLogger('test', 'silent'),
    outcomes: new MailOutcomes({ redis, runs }, { prefix }),
    pauses: new SchedulePauses({ redis, prefix }),
    prefix,
    queues,
    readAccount: async () => undefined,
    readHold: () => readHold(redis, prefix),
    redis,
    reputation: new ReputationWindow({ redis, clock }, { prefix, limits }),
    runs,
    suppressions: new SuppressionList({ redis, prefix, clock }),
    ...options,
  };
  const campaignsDir = makeCampaignDir(
    {
      settings: 'schedule: { cron: 0 10 * * *, timezone: Europe/Berlin }\n',
      html: '<p>Hi {{ first_name }}</p>',
    },
    { id: 'receipt', yaml: MESSAGE_YAML, sample: '{ "data": { "first_name": "Jane" } }' },
  );
  const servers: ReturnType<typeof createServer>[] = [];
  /** A dashboard over the same Redis: another one, or the same after a restart. */
  const start = async (changed: Partial<DashboardSettings> = {}) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const all = {
      host: '127.0.0.1',
      port,
      url,
      proxies: 0,
      user: 'admin',
      ...PEOPLE,
      ...settings,
      ...changed,
    };
    const app = await operatorApp(services, { campaignsDir, dashboard: all, fenceMs: 1_000 }, Router());
    server.on('request', app);
    return { url, app };
  };
  const close = async (): Promise<void> => {
    for (const server of servers) server.close().closeAllConnections();
    await closeQueues(queues);
    await closeRedis();
  };
  return { ...(await start()), ...services, clock, start, close };
}

/** As a browser: it keeps cookies, says where a request comes from, and goes nowhere by itself. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  constructor(readonly url: string) {}

  async fetch(path: string, { headers, ...init }: RequestInit = {}): Promise<Response> {
    const response = await fetch(new URL(path, this.url), {
      redirect: 'manual',
      ...init,
      headers: { cookie: this.cookie, accept: 'text/html', ...(headers as Record<string, string>) },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  set cookie(text: string) {
    this.#cookies.clear();
    for (const pair of text.split('; ')) this.#keep(pair);
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value) this.#cookies.set(name, value);
    else this.#cookies.delete(name);
  }

  post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
    const body = new URLSearchParams(form);
    return this.fetch(path, {
      method: 'POST',
      body,
      headers: { 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  logIn(user: string, password = PASSWORD): Promise<Response> {
    return this.post('/login', { user, password });
  }

  /** The token that the pages of this session carry. */
  async csrf(): Promise<string> {
    const page = await (await this.fetch('/')).text();
    const [, token = ''] = /name="csrf" value="([^"]+)"/.exec(page) ?? [];
    return token;
  }
}

/** Somebody who has logged in. */
export async function loggedIn(url: string, user: string): Promise<Browser> {
  const browser = new Browser(url);
  const response = await browser.logIn(user);
  if (response.status !== 303) throw new Error(`${user} did not get in: ${response.status}`);
  return browser;
}
