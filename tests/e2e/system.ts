/**
 * A whole system for one test: workers, scheduler, dashboard and a local SES as real processes, on the test run's Redis or on
 * a server of the test's own. Everything is gone when the test ends.
 */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { loadCampaign } from '@sendonce/shared/campaign';
import { startRun } from '@sendonce/shared/control';
import { openSesEvents } from '@sendonce/shared/events';
import { Ledger } from '@sendonce/shared/ledger';
import { closeQueues, openQueues, type Queues } from '@sendonce/shared/queue';
import { type RunRecord, Runs } from '@sendonce/shared/run';
import {
  systemClock as clock,
  closeRedis,
  connectRedis,
  makeLogger,
  type RedisConnection,
} from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { waitFor } from '@sendonce/shared/testing';
import { freePort } from '../../scripts/bootstrap/redis.mjs';
import { WORKER_NODE_FLAGS } from '../../scripts/commands.mjs';

const root = new URL('../../', import.meta.url);
const ENTRIES = {
  'ses-local': 'packages/ses-local/dist/main.js',
  dashboard: 'apps/dashboard/dist/main.js',
  scheduler: 'apps/scheduler/dist/main.js',
  worker: 'apps/worker/dist/main.js',
  'naive-worker': 'dist-bench/naive/worker.js',
};

const CLI = fileURLToPath(new URL('apps/cli/dist/main.js', root));

export interface ReceivedMail {
  messageId: string;
  text: string;
  html?: string;
  headers: Record<string, string>;
}

export interface InboxReport {
  messages: number;
  recipients: number;
  duplicates: number;
}

/** The inbox when every one of `count` recipients got one mail. */
export const everyone = (count: number): InboxReport => ({
  messages: count,
  recipients: count,
  duplicates: 0,
});

export interface SystemOptions {
  campaignsDir: string;
  redisUrl?: string;
  /** Default: one of its own. */
  prefix?: string;
  env?: Record<string, string>;
}

export const PASSWORD = 'correct horse';

/** Seconds instead of minutes: how long SES takes a signature, and how long a claim may stay silent. */
export const FENCE_MS = 4_000;
const SHORT_FENCE = {
  SES_SIGNATURE_SECONDS: '3',
  SES_TIMEOUT_SECONDS: '3',
  FENCE_SECONDS: String(FENCE_MS / 1_000),
};

export class System {
  readonly queues: Queues;
  readonly ledger: Ledger;
  readonly runs: Runs;
  readonly #children = new Set<ChildProcess>();
  #death: string | undefined;

  private constructor(
    readonly redis: RedisConnection,
    readonly prefix: string,
    readonly env: NodeJS.ProcessEnv,
    readonly campaignsDir: string,
    readonly sesUrl: string,
    readonly publicUrl: string,
    readonly dashboardUrl: string,
  ) {
    this.queues = openQueues(redis, prefix);
    this.ledger = new Ledger({ redis, prefix });
    this.runs = new Runs({ redis, prefix, clock });
  }

  /** Starts the local SES; everything else is started by the test. */
  static async start({
    campaignsDir,
    redisUrl = process.env.REDIS_URL ?? '',
    env = {},
    prefix = `e2e-${Math.random().toString(36).slice(2, 10)}`,
  }: SystemOptions): Promise<System> {
    const [sesPort, publicPort, dashboardPort] = await Promise.all([freePort(), freePort(), freePort()]);
    const sesUrl = `http://127.0.0.1:${sesPort}`;
    const publicUrl = `http://127.0.0.1:${publicPort}`;
    const all = {
      PATH: process.env.PATH,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: prefix,
      CAMPAIGNS_DIR: campaignsDir,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SESV2: sesUrl,
      SES_CONFIGURATION_SET: 'sendonce',
      SES_MAX_RATE: '5000',
      SNS_TOPIC_ARNS: 'arn:aws:sns:us-east-1:000000000000:sendonce-events',
      SNS_LOCAL_CERTIFICATE_URL: `${sesUrl}/sns/certificate`,
      SES_LOCAL_PORT: String(sesPort),
      SES_LOCAL_EVENTS_ENDPOINT: `${publicUrl}/hooks/ses`,
      PUBLIC_PORT: String(publicPort),
      DASHBOARD_PORT: String(dashboardPort),
      DASHBOARD_PASSWORD: PASSWORD,
      // Many workers at once: each takes a free one.
      WORKER_HEALTH_PORT: '0',
      SCHEDULER_HEALTH_PORT: '0',
      DASHBOARD_HEALTH_PORT: '0',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'warn',
      STATE_DIR: mkdtempSync(join(tmpdir(), 'sendonce-state-')),
      ...SHORT_FENCE,
      ...env,
    };
    const redis = connectRedis({ url: redisUrl, name: 'e2e', logger: makeLogger('e2e', 'silent') });
    const system = new System(
      redis,
      prefix,
      all,
      campaignsDir,
      sesUrl,
      publicUrl,
      `http://127.0.0.1:${dashboardPort}`,
    );
    const ses = system.spawn('ses-local');
    await once(ses, 'message');
    return system;
  }

  spawn(program: keyof typeof ENTRIES, env: Record<string, string> = {}): ChildProcess {
    const stdio = process.env.TEST_LOG_LEVEL ? 'inherit' : 'ignore';
    const child = fork(fileURLToPath(new URL(ENTRIES[program], root)), {
      env: { ...this.env, ...env },
      stdio: [stdio, stdio, stdio, 'ipc'],
      // Vitest's own flags would make Node look for sources, and compiled code is what runs in production.
      execArgv: program === 'worker' ? WORKER_NODE_FLAGS : [],
    });
    this.#children.add(child);
    const killWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', (code) => {
      this.#children.delete(child);
      process.off('exit', killWithUs);
      if (code) this.#death = `${program} ended with ${code}; TEST_LOG_LEVEL=info shows why`;
    });
    return child;
  }

  /** A process whose health can be asked, up to the point where it is ready. */
  async spawnWatched(
    program: 'worker' | 'scheduler' | 'dashboard',
    env: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; health: string }> {
    const port = await freePort();
    const child = this.spawn(program, { [`${program.toUpperCase()}_HEALTH_PORT`]: String(port), ...env });
    const health = `http://127.0.0.1:${port}`;
    await waitFor(`${program} to be ready`, () =>
      statusOf(`${health}/readyz`).then((status) => status === 200),
    );
    return { child, health };
  }

  /**
   * The dashboard, and with it the public hook, up to the point where events arrive: one mail to the mailbox simulator has
   * come back as an event. Before that, events would have nowhere to go.
   */
  async startDashboard(): Promise<ChildProcess> {
    const dashboard = this.spawn('dashboard');
    const { redis, ledger, runs, prefix } = this;
    const limits = { bounceWarn: 1, bouncePause: 1, complaintWarn: 1, complaintPause: 1 };
    const suppressions = new SuppressionList({ redis, prefix, clock });
    const { events } = openSesEvents(
      { clock, ledger, redis, runs, suppressions },
      { prefix, reputation: limits, suppressAfterTransientBounces: 0 },
    );
    await this.whenSubscribed();
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const ses = new SESv2Client({ region: 'us-east-1', endpoint: this.sesUrl, credentials });
    const text = { Data: 'Do events arrive?' };
    await ses.send(
      new SendEmailCommand({
        FromEmailAddress: 'updates@dif.io',
        Destination: { ToAddresses: ['success@simulator.amazonses.com'] },
        Content: { Simple: { Subject: text, Body: { Text: text } } },
        ConfigurationSetName: 'sendonce',
      }),
    );
    await waitFor('the first event', () => events.aliveBetween());
    return dashboard;
  }

  /** Up to the point where the dashboard has confirmed its subscription. Events from before that go nowhere. */
  whenSubscribed(): Promise<boolean> {
    return waitFor('the subscription', async () => {
      const subscriptions = await (await fetch(`${this.sesUrl}/control/subscriptions`)).json();
      return (subscriptions as { isConfirmed: boolean }[]).every(({ isConfirmed }) => isConfirmed);
    });
  }

  /** The dashboard with its two ports, up to the point where both answer. */
  async startDashboardPorts(): Promise<ChildProcess> {
    const dashboard = this.spawn('dashboard');
    for (const url of [this.dashboardUrl, this.publicUrl])
      await waitFor(`${url}/healthz`, () =>
        fetch(`${url}/healthz`).then(
          (response) => response.ok,
          () => false,
        ),
      );
    return dashboard;
  }

  logIn(password: string): Promise<Response> {
    const body = new URLSearchParams({ user: 'admin', password });
    return fetch(`${this.dashboardUrl}/login`, { method: 'POST', body, redirect: 'manual' });
  }

  /** The session of an operator who has logged in, as the value of a `Cookie` header. */
  async cookie(): Promise<string> {
    const response = await this.logIn(PASSWORD);
    return response.headers
      .getSetCookie()
      .map((value) => value.split(';')[0])
      .join('; ');
  }

  /** The headers by which a script of ours changes something: the session, and the token that our pages carry. */
  async operatorHeaders(): Promise<{ cookie: string; 'x-csrf-token': string }> {
    const cookie = await this.cookie();
    const page = await (await fetch(this.dashboardUrl, { headers: { cookie } })).text();
    const [, token = ''] = /name="csrf" value="([^"]+)"/.exec(page) ?? [];
    return { cookie, 'x-csrf-token': token };
  }

  async kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Starts a run by hand, as `sendonce run` does. */
  async startRun(campaign = 'news', at = new Date()): Promise<string> {
    const loaded = await loadCampaign(this.campaignsDir, campaign);
    const { record } = await startRun(this, loaded, { scheduledAt: at, origin: 'manual' });
    return record.id;
  }

  async whenSent(run: string, atLeast: number): Promise<RunRecord> {
    return waitFor(`${atLeast} sent in ${run}`, async () => {
      const record = await this.#find(run);
      return record && record.numbers.sent >= atLeast ? record : undefined;
    });
  }

  /** The record of a paused run, when what was claimed is settled. */
  async whenPaused(run: string): Promise<RunRecord> {
    await waitFor('the pause', async () => (await this.#find(run))?.status === 'paused');
    await waitFor('the workers to stand still', async () => (await this.queues.sends.getActiveCount()) === 0);
    return this.runs.get(run);
  }

  /** The job of a worker that died is another's after a minute: so long BullMQ takes to notice. */
  async whenFinished(run: string, timeoutMs = 180_000): Promise<RunRecord> {
    return waitFor(
      `the end of ${run}`,
      async () => {
        const record = await this.#find(run);
        return record?.status === 'finished' ? record : undefined;
      },
      timeoutMs,
    );
  }

  /** @throws when a process has ended by itself: waiting on would be in vain. */
  async #find(run: string): Promise<RunRecord | undefined> {
    if (this.#death) throw new Error(this.#death);
    return this.runs.find(run);
  }

  /** What the local SES accepted for a run: the truth, whatever the ledger says. */
  async inbox(run: string): Promise<InboxReport> {
    const report = (await (await fetch(`${this.sesUrl}/report`)).json()) as {
      byRun: Record<string, InboxReport>;
    };
    const { messages, recipients, duplicates } = report.byRun[run] ?? {
      messages: 0,
      recipients: 0,
      duplicates: 0,
    };
    return { messages, recipients, duplicates };
  }

  /** Of everybody in a frozen run. */
  async addresses(run: string): Promise<string[]> {
    const { chunks } = await this.runs.get(run);
    const numbers = Array.from({ length: chunks }, (_, chunk) => chunk);
    const recipients = await Promise.all(numbers.map((chunk) => this.ledger.recipients({ run, chunk })));
    return recipients.flat().map(({ address }) => address);
  }

  /** `chunk/position` → how often it was accepted. */
  async positions(run: string): Promise<Record<string, number>> {
    return (await (await fetch(`${this.sesUrl}/report/positions?run=${run}`)).json()) as Record<
      string,
      number
    >;
  }

  /** The newest mail to an address, as the local SES has it. */
  async mailTo(address: string): Promise<ReceivedMail | undefined> {
    const mails = await fetch(`${this.sesUrl}/messages?to=${encodeURIComponent(address)}&limit=1`);
    return ((await mails.json()) as ReceivedMail[])[0];
  }

  /** Runs the `sendonce` command to its end. */
  sendonce(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return this.#runSendonce(args, {});
  }

  /** The same, with something on its standard input. */
  sendonceWithInput(input: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return this.#runSendonce(args, { input });
  }

  /** The same, with other settings. */
  sendonceWith(
    env: Record<string, string>,
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> {
    return this.#runSendonce(args, { env });
  }

  async #runSendonce(
    args: string[],
    { input = '', env = {} }: { input?: string; env?: Record<string, string> },
  ): Promise<{ code: number; out: string; err: string }> {
    const options = { env: { ...this.env, ...env } };
    const running = promisify(execFile)(process.execPath, [CLI, ...args], options);
    running.child.stdin?.end(input);
    const result = await running.catch((error: { code: number; stdout: string; stderr: string }) => error);
    return { code: 'code' in result ? result.code : 0, out: result.stdout, err: result.stderr };
  }

  async setFaults(plan: { seed?: number; rules: object[] }): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${this.sesUrl}/control/faults`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(plan),
    });
    if (!response.ok) throw new Error(`The local SES refused the faults: ${await response.text()}`);
  }

  async stop(): Promise<void> {
    const children = [...this.#children];
    await Promise.all(children.map((child) => this.kill(child)));
    await closeQueues(this.queues);
    await closeRedis(this.redis);
  }
}

/** 0: nobody answers. */
async function statusOf(url: string): Promise<number> {
  return fetch(url).then(
    async (response) => {
      await response.body?.cancel();
      return response.status;
    },
    () => 0,
  );
}
