/** What SES lets the account do: rate, quota, being paused. Real workers against a local SES that holds to its limits. */
import { resumeRun } from '@sendonce/shared/control';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { everyone, System } from './system.js';

/** `RATE=500 RECIPIENTS=5000` measures: how much of the rate is used, and how many calls are throttled. */
const RATE = Number(process.env.RATE ?? 100);
const RECIPIENTS = Number(process.env.RECIPIENTS ?? 900);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs of a local SES that counts, with nothing but GetAccount to tell the workers. */
async function setup(recipients: number, account: object, settings = '') {
  const campaignsDir = makeCampaignDir(
    { csv: makeCsv(recipients), settings },
    { id: 'small', csv: makeCsv(10) },
  );
  const env = { SES_MAX_RATE: '', SES_ACCOUNT_REFRESH_SECONDS: '1' };
  const system = await System.start({ campaignsDir, env });
  cleanups.push(() => system.stop());
  const setAccount = async (state: object) => {
    const response = await fetch(`${system.sesUrl}/control/account`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(state),
    });
    expect(response.status).toBe(200);
  };
  await setAccount(account);
  const throttled = async () => {
    const faults = (await (await fetch(`${system.sesUrl}/control/faults`)).json()) as {
      rules: { struck: number }[];
    };
    return faults.rules[0]?.struck ?? 0;
  };
  return { system, setAccount, throttled };
}

/** When the first and the last mail were accepted, ms. */
async function acceptedBetween(system: System): Promise<{ first: number; last: number }> {
  const at = async (skip: number): Promise<number> => {
    const [mail] = (await (await fetch(`${system.sesUrl}/messages?limit=1&skip=${skip}`)).json()) as {
      acceptedAt: string;
    }[];
    return Date.parse(mail?.acceptedAt ?? '');
  };
  const [last, first] = await Promise.all([at(0), at(RECIPIENTS - 1)]);
  return { first, last };
}

describe('the rate', () => {
  it('of the account is kept by three workers, and used', async () => {
    const { system, throttled } = await setup(RECIPIENTS, { maxSendRate: RATE });
    await system.setFaults({ rules: [{ fault: 'rate-limit', maxPerSecond: RATE }] });
    for (let worker = 0; worker < 3; worker++) system.spawn('worker');
    const run = await system.startRun();
    await system.whenFinished(run, 280_000);
    expect(await system.inbox(run)).toEqual(everyone(RECIPIENTS));
    const { first, last } = await acceptedBetween(system);
    const share = (RECIPIENTS - 1) / ((last - first) / 1_000) / RATE;
    if (process.env.RATE)
      process.stderr.write(`${(share * 100).toFixed(1)}% of the rate, ${await throttled()} throttled\n`);
    // How close it comes is to be measured on a machine that does nothing else.
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThanOrEqual(1);
  }, 300_000);

  it('is shared in turns: a small run does not wait for a large one', async () => {
    const { system } = await setup(3_000, { maxSendRate: 300 });
    system.spawn('worker');
    const large = await system.startRun('news');
    await system.whenSent(large, 300);
    const small = await system.startRun('small');
    await system.whenFinished(small);
    const { numbers, status } = await system.runs.get(large);
    expect(status).toBe('sending');
    expect(numbers.queued).toBeGreaterThan(1_000);
  });
});

describe('the quota', () => {
  it('lets as many through as are left, keeps the rest waiting with the reason, and lets it go when there is room', async () => {
    const { system, setAccount } = await setup(900, { max24HourSend: 1_000, sentLast24Hours: 400 });
    system.spawn('worker');
    system.spawn('worker');
    const run = await system.startRun();
    const paused = await waitFor('the pause', async () => {
      const record = await system.runs.find(run);
      // Places of throttled mails are free again at the next look at the account, and used then.
      const isUsedUp = (record?.numbers.sent ?? 0) >= 600;
      return record?.status === 'paused' && record.numbers.claimed === 0 && isUsedUp ? record : undefined;
    });
    expect(paused).toMatchObject({ pauseCause: 'quota', numbers: { sent: 600, queued: 300, rejected: 0 } });
    expect(paused.pauseReason).toMatch(
      /^The quota of 1,000 recipients in 24 hours is used up; resumes about \d\d:\d\d UTC on \d{4}-/,
    );
    await setAccount({ sentLast24Hours: 100 });
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(900));
  });
});

describe('an account that may not send', () => {
  it.each([
    ['is paused', { sendingEnabled: false }, { sendingEnabled: true }],
    ['is suspended', { enforcementStatus: 'SHUTDOWN' }, { enforcementStatus: 'HEALTHY' }],
  ])('because it %s pauses the run, which goes on by itself', async (_, before, after) => {
    const { system, setAccount } = await setup(200, before);
    system.spawn('worker');
    const run = await system.startRun();
    const paused = await waitFor('the pause', async () => {
      const record = await system.runs.find(run);
      return record?.status === 'paused' && record.numbers.claimed === 0 ? record : undefined;
    });
    expect(paused).toMatchObject({ pauseCause: 'account', numbers: { queued: 200, sent: 0 } });
    await setAccount(after);
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(200));
  });

  it.each(['missing-configuration-set', 'mail-from-not-verified', 'message-rejected'])(
    'because of %s pauses the run, which goes on by itself when that is mended',
    async (fault) => {
      const { system } = await setup(200, {});
      await system.setFaults({ rules: [{ fault }] });
      system.spawn('worker');
      const run = await system.startRun();
      await waitFor('the pause', async () => (await system.runs.find(run))?.pauseCause === 'account');
      await system.setFaults({ rules: [] });
      await system.whenFinished(run);
      expect(await system.inbox(run)).toEqual(everyone(200));
    },
  );
});

describe('too many bounces', () => {
  it('pause the run, until an operator resumes it', async () => {
    const { system } = await setup(1_200, { maxSendRate: 300 });
    await system.startDashboard();
    await system.setFaults({ seed: 1, rules: [{ fault: 'bounce', probability: 0.3 }] });
    system.spawn('worker');
    const run = await system.startRun();
    const paused = await waitFor('the pause', async () => {
      const record = await system.runs.find(run);
      return record?.status === 'paused' ? record : undefined;
    });
    expect(paused.pauseCause).toBe('reputation');
    expect(paused.pauseReason).toMatch(/^In 24 hours \d+% of mails bounce \(limit 5%\)$/);
    expect(paused.outcomes.bounced).toBeGreaterThan(20);
    await resumeRun(system, run);
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(1_200));
  });
});
