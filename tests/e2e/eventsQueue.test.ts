/** SES's events by SQS: no dashboard, no public endpoint, and doubts are settled all the same. */
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup() {
  const campaignsDir = makeCampaignDir(
    { csv: makeCsv(1_500), settings: 'in_doubt: resend\n' },
    { id: 'small', csv: makeCsv(20) },
  );
  const env = { SES_LOCAL_EVENTS_QUEUE: 'yes', SES_LOCAL_QUEUE_VISIBILITY_SECONDS: '0.5' };
  const system = await System.start({ campaignsDir, env });
  cleanups.push(() => system.stop());
  const spawnWorker = (rate = 5_000) =>
    system.spawn('worker', {
      SES_MAX_RATE: String(rate),
      SES_EVENTS_QUEUE_URL: `${system.sesUrl}/000000000000/sendonce-events`,
      AWS_ENDPOINT_URL_SQS: system.sesUrl,
    });
  const queue = async () =>
    (await (await fetch(`${system.sesUrl}/control/queue`)).json()) as Record<string, number>;
  return { queue, spawnWorker, system };
}

describe('the queue of events', () => {
  it('settles what a killed worker left in doubt', async () => {
    const { spawnWorker, system } = await setup();
    const victim = spawnWorker(500);
    const first = await system.startRun('small');
    await system.whenFinished(first);
    await waitFor('the deliveries', async () => (await system.runs.get(first)).outcomes.delivered === 20);

    const run = await system.startRun();
    await system.whenSent(run, 300);
    await system.kill(victim);
    spawnWorker();
    const { numbers } = await system.whenFinished(run);
    expect(numbers).toMatchObject({ sent: 1_500, in_doubt: 0 });
    expect(await system.inbox(run)).toEqual({ messages: 1_500, recipients: 1_500, duplicates: 0 });
    await waitFor('all deliveries', async () => (await system.runs.get(run)).outcomes.delivered === 1_500);
  });

  it('leaves what it does not understand to the dead letters, and goes on', async () => {
    const { queue, spawnWorker, system } = await setup();
    for (const body of ['nonsense', '{"TopicArn":"arn:aws:sns:us-east-1:111111111111:x","Message":"{}"}'])
      await fetch(`${system.sesUrl}/control/queue`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body,
      });
    spawnWorker();
    const run = await system.startRun('small');
    await waitFor('the deliveries', async () => (await system.runs.find(run))?.outcomes.delivered === 20);
    await waitFor('the dead letters', async () => (await queue()).deadLetters === 2);
    expect(await queue()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 2 });
  });
});
