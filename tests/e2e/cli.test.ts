/** The command line as its user meets it: a real process, its output and its exit status. */
import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isPassword } from '@sendonce/shared/access';
import { AuditTrail } from '@sendonce/shared/audit';
import { systemClock } from '@sendonce/shared/runtime';
import { MESSAGE_YAML, makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { System } from './system.js';

const entry = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
let system: System;
beforeAll(async () => {
  system = await System.start({
    campaignsDir: makeCampaignDir(
      { csv: `${makeCsv(20)}nobody,Bad\nREADER1@example.com,Again\n` },
      { id: 'receipt', yaml: MESSAGE_YAML, sample: '{ "data": { "first_name": "Jane" } }' },
    ),
  });
  system.spawn('worker');
});
afterAll(() => system.stop());

async function sendonce(
  args: string[],
  env: Record<string, string> = {},
  input = '',
): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [entry, ...args], { env: { ...system.env, ...env } });
  child.stdin.end(input);
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, out, err })));
}

describe('sendonce', () => {
  it('starts a run once, watches it, shows and exports it', async () => {
    const args = ['run', 'news', '--at', '2026-11-24T10:00:00Z', '--watch'];
    const first = await sendonce(args);
    expect(first.out).toContain('Started news--20261124T100000Z.');
    expect(first.out).toMatch(/sent\s+│\s+20/);
    expect(first.code).toBe(0);
    const second = await sendonce(args);
    expect(second.out).toContain('exists (finished): it was started before, and nothing is sent twice.');
    expect(await system.inbox('news--20261124T100000Z')).toEqual({
      messages: 20,
      recipients: 20,
      duplicates: 0,
    });

    const status = await sendonce(['status', 'news--20261124T100000Z', '--json']);
    expect(JSON.parse(status.out)).toMatchObject({
      status: 'finished',
      audience: 22,
      duplicates: 1,
      invalid: 1,
      sent: 20,
    });
    const csv = await sendonce(['export', 'news--20261124T100000Z']);
    const [header, row, ...rest] = csv.out.trim().split('\n');
    expect(header).toBe('address,state,message_id,time,reason,outcomes');
    expect(row).toMatch(/^reader0@example\.com,sent,[0-9a-f-]+,2\d{3}-/);
    expect(rest).toHaveLength(19);
  });

  it('shows and tries a template of single messages, and does not run it', async () => {
    const preview = await sendonce(['preview', 'receipt']);
    expect(preview.out).toContain('To: j…@example.com\nSubject: News for Jane');
    expect((await sendonce(['test-send', 'receipt', '--to', 'me@example.com'])).code).toBe(0);
    expect((await system.mailTo('me@example.com'))?.text).toContain('Hi Jane');
    const run = await sendonce(['run', 'receipt']);
    expect(run.code).toBe(2);
    expect(run.err).toContain("receipt is a template of single messages and isn't run: programs send by it");
    expect((await sendonce(['campaigns'])).out).toMatch(/receipt\s+│\s+single messages/);
  });

  it('pauses, resumes and cancels a run, and the numbers add up', async () => {
    const campaignsDir = makeCampaignDir({ csv: makeCsv(4_000) });
    const slow = await System.start({ campaignsDir, env: { SES_MAX_RATE: '150' } });
    slow.spawn('worker');
    const command = (...args: string[]) => sendonce(args, slow.env as Record<string, string>);
    const run = await slow.startRun();
    await slow.whenSent(run, 50);
    expect((await command('pause', run, '--reason', 'lunch')).out).toContain('is paused');
    expect((await command('pause', run)).code).toBe(1);
    expect((await command('status', run)).out).toContain('paused: lunch');
    expect((await command('resume', run)).out).toContain('goes on');
    const { sent } = (await slow.runs.get(run)).numbers;
    await slow.whenSent(run, sent + 50);
    expect((await command('cancel', run)).out).toContain('is cancelled');
    const { numbers } = await waitFor('the end of what was under way', async () => {
      const record = await slow.runs.get(run);
      return record.finishedAt ? record : undefined;
    });
    expect(numbers.sent + numbers.cancelled).toBe(4_000);
    expect((await slow.inbox(run)).messages).toBe(numbers.sent);
    expect((await command('resume', run)).code).toBe(1);
    const audit = new AuditTrail({ redis: slow.redis, prefix: slow.prefix, clock: systemClock });
    const deeds = (await audit.list({ limit: 9 })).reverse();
    expect(deeds.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'run.pause done',
      'run.pause nothing',
      'run.resume done',
      'run.cancel done',
      'run.resume nothing',
    ]);
    expect(deeds[0]).toMatchObject({ via: 'cli', who: userInfo().username, subject: run, detail: 'lunch' });
    await slow.stop();
  });

  it('lists, validates, previews and sends a test', async () => {
    expect((await sendonce(['campaigns'])).out).toContain('news');
    expect((await sendonce(['validate'])).out).toContain('2 campaigns are valid');
    const preview = await sendonce(['preview', 'news']);
    expect(preview.out).toContain('Subject: News for Reader 0');
    expect(preview.out).not.toContain('reader0@example.com');
    expect((await sendonce(['test-send', 'news', '--to', 'me@example.com'])).out).toContain(
      "SES's message id",
    );
  });

  it('reads campaign files without a Redis', async () => {
    const noRedis = { REDIS_URL: '' };
    expect((await sendonce(['validate'], noRedis)).out).toContain('2 campaigns are valid');
    expect((await sendonce(['campaigns'], noRedis)).out).toContain('news');
    expect((await sendonce(['preview', 'news'], noRedis)).out).toContain('Subject: News for Reader 0');
    expect((await sendonce(['status'], noRedis)).err).toContain('REDIS_URL is not set');
  });

  it('makes a key of the API, and stores nothing', async () => {
    const { code, out } = await sendonce(['api-key', 'shop', '--scopes', 'read,runs']);
    expect(code).toBe(0);
    expect(out).toMatch(/^so_[\w-]{43}\nshop:read\+runs:[\da-f]{64}\n$/);
    expect((await sendonce(['doctor'], { API_KEYS: out.split('\n')[1] ?? '' })).code).toBe(0);
  });

  it('makes the hash of a password that is piped in, without Redis or settings', async () => {
    const { code, out } = await sendonce(['password'], { REDIS_URL: '' }, 'correct horse\n');
    expect(code).toBe(0);
    expect(await isPassword('correct horse', out.trim())).toBe(true);
    for (const input of ['short\n', '']) {
      const refused = await sendonce(['password'], {}, input);
      expect(refused.code).toBe(2);
      expect(refused.out).toBe('');
    }
  });

  it('finds everything well, as doctor', async () => {
    const { code, out } = await sendonce(['doctor']);
    expect(out).toContain('✓ Redis durability: appendonly yes, appendfsync always');
    expect(out).toContain('✓ SES: ');
    expect(code).toBe(0);
  });

  it('says as doctor what is wrong with the account, and what mends it', async () => {
    const put = (path: string, body: object) =>
      fetch(`${system.sesUrl}${path}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await put('/control/identities', { 'dif.io': 'PENDING' });
    await put('/control/account', { sendingEnabled: false, productionAccessEnabled: false });
    const { code, out } = await sendonce(['doctor']);
    await put('/control/identities', { 'dif.io': 'SUCCESS' });
    await put('/control/account', { sendingEnabled: true, productionAccessEnabled: true });
    expect(code).toBe(1);
    expect(out).toContain('✗ Sender dif.io: not verified, SES refuses its mails; DKIM pending');
    expect(out).toContain('✗ SES sending: paused for this account');
    expect(out).toContain('! SES sandbox: in the sandbox');
    expect(out).toContain('✓ Configuration set sendonce: publishes all events that are needed');
  });

  it.each([
    ['an unknown command', ['sned'], {}, 'unknown command'],
    ['an unknown campaign', ['run', 'nwes'], {}, 'Did you mean "news"?'],
    ['an unknown run', ['status', 'news--20200101T000000Z'], {}, 'There is no run "news--20200101T000000Z"'],
    [
      'a time without a zone',
      ['run', 'news', '--at', '2026-11-24T10:00'],
      {},
      'expected a time with its zone',
    ],
    ['a scope that is none', ['api-key', 'shop', '--scopes', 'write'], {}, '--scopes: expected some of'],
    ['a key instead of its entry', ['status'], { API_KEYS: 'so_x' }, 'API_KEYS: entry 1: expected'],
    ['an address that is none', ['test-send', 'news', '--to', 'nobody'], {}, '--to: '],
    ['an unknown setting', ['status'], { FENCE_SECOND: '5' }, 'Did you mean FENCE_SECONDS?'],
    [
      'a Redis that is away',
      ['status'],
      { REDIS_URL: 'redis://127.0.0.1:1' },
      "Redis at 127.0.0.1:1 can't be reached",
    ],
    [
      'campaigns that are not there',
      ['validate'],
      { CAMPAIGNS_DIR: '/nowhere' },
      'CAMPAIGNS_DIR: the folder /nowhere',
    ],
  ])('answers %s with a sentence and exit status 2', async (_, args, env, text) => {
    const { code, err } = await sendonce(args, env);
    expect(err).toContain(text);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });

  it('starts nothing of a campaign that is wrong', async () => {
    const campaignsDir = makeCampaignDir({ body: 'Hi {{ frist_name }}\n' });
    const { code, err } = await sendonce(['run', 'news', '--at', '2026-11-25T10:00:00Z'], {
      CAMPAIGNS_DIR: campaignsDir,
    });
    expect(err).toMatch(/body\.txt:1.*frist_name/);
    expect(code).toBe(2);
    expect(await system.runs.find('news--20261125T100000Z')).toBeUndefined();
  });
});
