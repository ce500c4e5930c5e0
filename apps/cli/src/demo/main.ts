/**
 * `npm run demo`: a scheduled campaign to 5,000 recipients, from the file to the (local) SES, with one of two workers killed
 * in the middle. Real processes and a real SIGKILL; what counts in the end is what the inbox saw.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunRecord, Runs, recipientCount, runIdOf } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { Command } from 'commander';
import { LiveLine, print, printTable, progressLine } from '../output.js';
import { DEMO_CAMPAIGN, prepareCampaign } from './demoCampaign.js';
import { choosePort, DemoProcesses } from './processes.js';

/** Recipients a second: enough to be done soon, slow enough to watch. */
const RATE = 500;
const KILL_AT_SHARE = 0.4;
const DUE_IN_MS = 3_000;
const TIMEOUT_MS = 120_000;
/** Minutes in earnest, seconds here: how long SES takes a signature, and how long a claim may stay silent. */
const SIGNATURE_SECONDS = 5;
const FENCE_SECONDS = 8;

interface Inbox {
  messages: number;
  recipients: number;
  duplicates: number;
}

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const dataDir = join(root, '.data', 'demo');
const options = new Command('demo')
  .description('a campaign to 5,000 recipients on this machine, with a worker killed on the way')
  .option('--exit', 'stop everything at the end; exit 0 only if everybody got exactly one mail')
  .parse()
  .opts<{ exit?: boolean }>();

const redisUrl = process.env.REDIS_URL;
if (!redisUrl) throw new Error('REDIS_URL is not set: start the demo with `npm run demo`.');
const prefix = `demo-${Date.now()}`;
const password = randomBytes(9).toString('base64url');
const [sesPort, dashboardPort, publicPort] = await Promise.all([8025, 3000, 3001].map(choosePort));
const sesUrl = `http://127.0.0.1:${sesPort}`;
const processes = new DemoProcesses(join(dataDir, 'logs'), {
  PATH: process.env.PATH,
  REDIS_URL: redisUrl,
  REDIS_PREFIX: prefix,
  CAMPAIGNS_DIR: join(dataDir, 'campaigns'),
  STATE_DIR: join(dataDir, 'state'),
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_SESV2: sesUrl,
  SES_CONFIGURATION_SET: 'sendonce',
  SES_MAX_RATE: String(RATE),
  SES_SIGNATURE_SECONDS: String(SIGNATURE_SECONDS),
  SES_TIMEOUT_SECONDS: String(SIGNATURE_SECONDS),
  FENCE_SECONDS: String(FENCE_SECONDS),
  SNS_TOPIC_ARNS: 'arn:aws:sns:us-east-1:000000000000:sendonce-events',
  SNS_LOCAL_CERTIFICATE_URL: `${sesUrl}/sns/certificate`,
  DASHBOARD_PORT: String(dashboardPort),
  DASHBOARD_PASSWORD: password,
  PUBLIC_PORT: String(publicPort),
});
const redis = connectRedis({ url: redisUrl, name: 'demo', logger: makeLogger('demo', 'silent') });
const interrupted = new AbortController();
process.on('SIGINT', () => interrupted.abort());
process.on('SIGTERM', () => interrupted.abort());

try {
  process.exitCode = await runDemo();
} catch (error) {
  process.exitCode = 1;
  if (!interrupted.signal.aborted) process.stderr.write(`${(error as Error).message}\n`);
} finally {
  await processes.stop();
  await closeRedis(redis);
}

async function runDemo(): Promise<number> {
  const dueAt = prepareCampaign(join(root, 'campaigns'), join(dataDir, 'campaigns'), DUE_IN_MS);
  const run = runIdOf(DEMO_CAMPAIGN, dueAt);
  const sesLocal = processes.start('ses-local', 'ses-local', {
    SES_LOCAL_PORT: String(sesPort),
    SES_LOCAL_RATE: String(RATE),
    SES_LOCAL_EVENTS_ENDPOINT: `http://127.0.0.1:${publicPort}/hooks/ses`,
  });
  await once(sesLocal, 'message', { signal: interrupted.signal });
  processes.start('dashboard', 'dashboard');
  processes.start('scheduler', 'scheduler');
  processes.start('worker', 'worker-1');
  processes.start('worker', 'worker-2');
  print(
    `${DEMO_CAMPAIGN} is due at ${dueAt.toISOString()}. Dashboard, scheduler, two workers and a local SES are up.`,
  );
  printLinks();

  const record = await watch(run);
  const inbox = (await (await fetch(`${sesUrl}/report`)).json()) as Inbox & { byRun: Record<string, Inbox> };
  const isOnce = judge(record, inbox.byRun[run] ?? { messages: 0, recipients: 0, duplicates: 0 });
  if (options.exit || !process.stdout.isTTY) return isOnce ? 0 : 1;
  printLinks();
  print('Ctrl-C stops everything.');
  await new Promise((resolve) => interrupted.signal.addEventListener('abort', resolve));
  return isOnce ? 0 : 1;
}

/** Shows the progress, kills a worker on the way, returns when the run has ended. */
async function watch(run: string): Promise<RunRecord> {
  const runs = new Runs({ redis, prefix, clock });
  const line = new LiveLine();
  const startedAt = Date.now();
  let isKilled = false;
  for (;;) {
    interrupted.signal.throwIfAborted();
    processes.assertAlive();
    const record = await runs.find(run);
    if (record) line.update(progressLine(record));
    if (
      record &&
      !isKilled &&
      record.numbers.sent >= recipientCount(record) * KILL_AT_SHARE &&
      record.frozenAt
    ) {
      isKilled = true;
      await processes.kill('worker-1');
      line.end();
      print(
        `SIGKILL: worker 1 is dead, after ${record.numbers.sent.toLocaleString('en')} mails. What it had claimed is in doubt after ${FENCE_SECONDS} s.`,
      );
    }
    if (record?.status === 'finished') {
      line.end();
      return record;
    }
    if (Date.now() - startedAt > TIMEOUT_MS)
      throw new Error(`The run has not ended in ${TIMEOUT_MS / 1_000} s. The logs are in ${dataDir}/logs.`);
    await sleep(200);
  }
}

/** The ledger's numbers beside what the inbox counted by itself. */
function judge({ numbers }: RunRecord, inbox: Inbox): boolean {
  printTable(
    ['', 'ledger', 'inbox'],
    [
      ['recipients', numbers.audience - numbers.duplicates - numbers.invalid, inbox.recipients],
      ['mails', numbers.sent, inbox.messages],
      ['duplicates', '', inbox.duplicates],
      ['in doubt', numbers.in_doubt, ''],
      ['rejected', numbers.rejected, ''],
    ],
  );
  const expected = numbers.audience - numbers.duplicates - numbers.invalid;
  const isOnce =
    inbox.messages === expected &&
    inbox.recipients === expected &&
    inbox.duplicates === 0 &&
    numbers.sent === expected;
  print(
    isOnce
      ? 'Everybody got exactly one mail, with a worker killed on the way.'
      : 'NOT everybody got exactly one mail.',
  );
  return isOnce;
}

function printLinks(): void {
  print(`  Dashboard  http://127.0.0.1:${dashboardPort}  (admin / ${password})`);
  print(`  Queues     http://127.0.0.1:${dashboardPort}/queues`);
  print(`  Inbox      ${sesUrl}`);
}
