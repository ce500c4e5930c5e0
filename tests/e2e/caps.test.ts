/** Frequency caps with real workers: campaigns that come to the same people at the same moment. */
import { sendJobId } from '@sendonce/shared/queue';
import { Buckets } from '@sendonce/shared/suppression';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { everyone, System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PEOPLE = 600;
const CAP = 'cap: { per: 24h, max: 1, group: notifications }\n';

async function setup(settings = '') {
  const csv = makeCsv(PEOPLE);
  const campaignsDir = makeCampaignDir(
    { id: 'news', csv, settings: `${CAP}${settings}` },
    // The other way round, so that the two meet in the middle.
    { id: 'offers', csv: reversed(csv), settings: `${CAP}${settings}` },
  );
  const system = await System.start({ campaignsDir });
  cleanups.push(() => system.stop());
  return system;
}

function reversed(csv: string): string {
  const [header, ...rows] = csv.trimEnd().split('\n');
  return `${[header, ...rows.reverse()].join('\n')}\n`;
}

it('everybody gets exactly one mail of two campaigns that are sent at once, and the numbers add up', async () => {
  const system = await setup();
  for (const _ of [1, 2]) system.spawn('worker', { SES_MAX_RATE: '1000' });
  const runs = await Promise.all(['news', 'offers'].map((campaign) => system.startRun(campaign)));
  const records = await Promise.all(runs.map((run) => system.whenFinished(run)));
  for (const { numbers } of records) {
    expect(numbers.sent + numbers.suppressed).toBe(PEOPLE);
  }
  expect(records.reduce((sum, { numbers }) => sum + numbers.sent, 0)).toBe(PEOPLE);
  const mails = (await (await fetch(`${system.sesUrl}/messages?limit=1000`)).json()) as { to: string[] }[];
  expect(new Set(mails.map(({ to }) => to[0])).size).toBe(PEOPLE);
  expect(mails).toHaveLength(PEOPLE);
  const csv = await system.sendonce('export', runs[0] ?? '');
  expect(csv.out).toMatch(/,suppressed,.*frequency cap: 1 of group notifications in 24h/);
});

it('a refusal for good takes no place, and a run that goes round again has its own', async () => {
  const system = await setup();
  system.spawn('worker');
  const refused = Array.from({ length: 5 }, (_, n) => `reader${n * 100}@example.com`);
  await system.setFaults({
    rules: [
      { fault: 'message-rejected', recipients: refused },
      { fault: 'throttle', probability: 0.3, count: 100 },
    ],
  });
  const first = await system.whenFinished(await system.startRun('news'));
  expect(first.numbers).toMatchObject({ sent: PEOPLE - 5, rejected: 5, suppressed: 0 });
  await system.setFaults({ rules: [] });
  const second = await system.whenFinished(await system.startRun('offers'));
  expect(second.numbers).toMatchObject({ sent: 5, suppressed: PEOPLE - 5 });
});

it('nobody is in doubt, or sent to, while Redis can’t answer for a cap', async () => {
  const system = await setup();
  const { ledger, prefix, queues, redis } = system;
  // As when a node of a cluster is away: one of the commands of a micro-batch fails.
  const broken = new Buckets(prefix, 'capped/notifications').keyOf('reader7@example.com');
  await redis.set(broken, 'no hash');
  system.spawn('worker');
  const run = await system.startRun('news');
  const ref = { run, chunk: 0 };
  await waitFor('a failed attempt that has given everybody back', async () => {
    const job = await queues.sends.getJob(sendJobId(ref));
    return (job?.attemptsMade ?? 0) > 0 && (await ledger.tally(ref)).queued === 500;
  });
  await redis.del(broken);
  const { numbers } = await system.whenFinished(run);
  expect(numbers).toMatchObject({ sent: PEOPLE, suppressed: 0 });
  expect(await system.inbox(run)).toEqual(everyone(PEOPLE));
});
