/**
 * The programs of examples/, as somebody would run them, against a whole system. Of everything that they start the first answer
 * is lost, and they are run twice, also at once: the inbox has each mail once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeApiKey } from '@sendonce/shared/runtime';
import { waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../scripts/bootstrap/redis.mjs';
import { type AnswerLoser, openAnswerLoser } from '../e2e/answerLoser.js';
import { everyone, System } from '../e2e/system.js';
import { describeWith, runExample } from './programs.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
/** One for each: idempotency keys belong to the API key's name. */
const keys = {
  curl: makeApiKey('curl', ['runs', 'messages']),
  python: makeApiKey('python', ['runs', 'messages']),
  django: makeApiKey('django', ['runs', 'messages']),
};

let system: System;
let proxy: AnswerLoser;
beforeAll(async () => {
  system = await System.start({
    campaignsDir: join(examples, 'campaigns'),
    env: {
      API_KEYS: Object.values(keys)
        .map(({ entry }) => entry)
        .join(' '),
    },
  });
  await system.startDashboardPorts();
  system.spawn('worker');
  proxy = await openAnswerLoser(system.dashboardUrl);
});
afterAll(async () => {
  proxy?.stop();
  await system?.stop();
});

const envOf = (name: keyof typeof keys) => ({ SENDONCE_URL: proxy.url, SENDONCE_KEY: keys[name].key });

/** Those that are there, when there is one at least. */
const mailsTo = (address: string) =>
  waitFor(`the mail to ${address}`, async () => {
    const found = await fetch(`${system.sesUrl}/messages?to=${encodeURIComponent(address)}`);
    const mails = (await found.json()) as { subject: string; text: string }[];
    return mails.length > 0 ? mails : undefined;
  });

/** @param start prints the run's id. Twice at once, and again later: one run, and everybody has it once. */
async function expectOneRun(start: () => Promise<string>): Promise<void> {
  const idOf = async () => /monthly-reminder--\w+/.exec(await start())?.[0];
  const [run = '', second] = await Promise.all([idOf(), idOf()]);
  await system.whenFinished(run);
  expect([second, await idOf()]).toEqual([run, run]);
  expect(await system.inbox(run)).toEqual(everyone(3));
}

/** @param send sends to the address. Twice at once, and again when it has arrived: one mail. */
async function expectOneMail(send: () => Promise<unknown>, address: string): Promise<{ text: string }> {
  await Promise.all([send(), send()]);
  await mailsTo(address);
  await send();
  const mails = await mailsTo(address);
  expect(mails).toHaveLength(1);
  return mails[0] as { text: string };
}

describeWith('curl', () => {
  const script = (name: string, ...args: string[]) =>
    runExample('sh', [join(examples, 'curl', name), ...args], envOf('curl'));

  it('starts one run a month', async () => {
    await expectOneRun(() => script('monthly-reminder.sh', '2026-12'));
    expect(proxy.lost).toContain('monthly-reminder-2026-12');
  });

  it('sends one welcome a user, whatever the name is', async () => {
    const address = 'curl@example.com';
    const mail = await expectOneMail(() => script('welcome.sh', 'c1', address, 'Zoë "\\" O\'Neill'), address);
    expect(mail.text).toContain('Hi Zoë "\\" O\'Neill,');
    expect(proxy.lost).toContain('welcome-c1');
  });

  it('fails with what the API says, and without the key', async () => {
    const failed = script('welcome.sh', 'c2', 'nobody', 'Jane');
    await expect(failed).rejects.toThrow(/sendonce: 422 .*unfit-message/);
    await expect(failed).rejects.not.toThrow(keys.curl.key);
  });
});

describeWith('python', (python) => {
  const script = (name: string, ...args: string[]) =>
    runExample(python, [join(examples, 'python', name), ...args], envOf('python'));

  it('starts one run a month', async () => {
    await expectOneRun(() => script('monthly_reminder.py', '2027-01'));
    expect(proxy.lost).toContain('monthly-reminder-2027-01');
  });

  it('sends one welcome a user', async () => {
    const address = 'python@example.com';
    const mail = await expectOneMail(() => script('welcome.py', 'p1', address, 'Zoë'), address);
    expect(mail.text).toContain('Hi Zoë,');
    expect(proxy.lost).toContain('welcome-p1');
  });

  it('fails with what the API says, and without the key', async () => {
    const failed = script('welcome.py', 'p2', 'nobody', 'Jane');
    await expect(failed).rejects.toThrow(/send message: .*\(422\)/);
    await expect(failed).rejects.not.toThrow(keys.python.key);
  });
});

describeWith('django', (python) => {
  let env: Record<string, string>;
  const manage = (...args: string[]) =>
    runExample(python, [join(examples, 'django/manage.py'), ...args], env);
  let url: string;
  beforeAll(async () => {
    const database = join(mkdtempSync(join(tmpdir(), 'sendonce-django-')), 'db.sqlite3');
    env = { ...envOf('django'), DJANGO_SECRET_KEY: 'for a test', DATABASE: database };
    await manage('migrate', '--verbosity', '0');
    const port = await freePort();
    const args = [join(examples, 'django/manage.py'), 'runserver', '--noreload', `127.0.0.1:${port}`];
    const server = spawn(python, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
    const killWithUs = () => void server.kill('SIGKILL');
    process.once('exit', killWithUs);
    url = `http://127.0.0.1:${port}/register/`;
    await waitFor('the shop', () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return async () => {
      process.off('exit', killWithUs);
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    };
  });

  /** As the form does. @returns the status. */
  async function register(username: string): Promise<number> {
    const page = await fetch(url);
    const cookie = page.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const [, token = ''] = /name="csrfmiddlewaretoken" value="(\w+)"/.exec(await page.text()) ?? [];
    const password = 'correct horse battery';
    const body = new URLSearchParams({
      csrfmiddlewaretoken: token,
      username,
      first_name: 'Noor',
      email: `${username}@example.com`,
      password1: password,
      password2: password,
    });
    return (await fetch(url, { method: 'POST', headers: { cookie }, body })).status;
  }

  it('starts one run a month', async () => {
    await expectOneRun(() => manage('start_monthly_reminder', '--month', '2027-02'));
  });

  it('welcomes who has registered, once, also when the command asks again', async () => {
    expect(await register('noor')).toBe(201);
    expect(await register('noor')).toBe(400);
    const mail = await expectOneMail(() => manage('send_welcomes'), 'noor@example.com');
    expect(mail.text).toContain('Hi Noor,');
    expect(proxy.lost).toContain('welcome-1');
  });

  it('registers also while Sendonce is away, and welcomes later', async () => {
    proxy.setAway(true);
    expect(await register('late')).toBe(201);
    proxy.setAway(false);
    await expectOneMail(() => manage('send_welcomes'), 'late@example.com');
    expect(await mailsTo('noor@example.com')).toHaveLength(1);
  });
});
