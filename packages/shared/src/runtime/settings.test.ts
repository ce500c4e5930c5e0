import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashPassword } from '../access/index.js';
import { readSettings, SettingsError } from './index.js';

const LOCAL = { REDIS_URL: 'redis://127.0.0.1:6379', AWS_ENDPOINT_URL_SESV2: 'http://127.0.0.1:8025' };

const OIDC = {
  OIDC_ISSUER: 'https://id.example.com',
  OIDC_CLIENT_ID: 'sendonce',
  OIDC_CLIENT_SECRET: 'secret',
  OIDC_OPERATORS: 'Jane@example.com, @ops.example.com',
  DASHBOARD_URL: 'https://mail.example.com',
};

function problemsOf(env: Record<string, string>): string[] {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('have defaults for everything but Redis', () => {
    const settings = readSettings({ REDIS_URL: 'redis://127.0.0.1:6379' });
    expect(settings).toMatchObject({ fenceMs: 1_200_000, campaignsDir: 'campaigns', logLevel: 'info' });
    expect(settings.ses.isLocal).toBe(false);
    expect(problemsOf({})).toEqual([expect.stringContaining('REDIS_URL is not set')]);
  });

  it('are told all of their problems at once', () => {
    const problems = problemsOf({
      REDIS_URL: 'http://x',
      SES_MAX_RATE: 'fast',
      DASHBOARD_PORT: '99999',
      LOG_LEVEL: 'loud',
    });
    expect(problems).toHaveLength(4);
  });

  it('know a typing error, and leave the rest of the environment alone', () => {
    expect(problemsOf({ ...LOCAL, FENCE_SECOND: '900', HOME: '/root', npm_config_x: '1' })).toEqual([
      'FENCE_SECOND: there is no such setting. Did you mean FENCE_SECONDS?',
    ]);
  });

  it('take secrets from files, without the line end that editors put there', () => {
    const dir = mkdtempSync(join(tmpdir(), 'secrets-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const {
      redis,
      public: links,
      apiKeys,
    } = readSettings({
      REDIS_URL_FILE: file('redis-url', 'rediss://:secret@redis:6379\n'),
      LINK_SECRET_FILE: file('link-secret', `${'x'.repeat(40)}\n`),
      API_KEYS_FILE: file('api-keys', '\n'),
    });
    expect(redis.url).toBe('rediss://:secret@redis:6379');
    expect(links.linkSecret).toBe('x'.repeat(40));
    expect(apiKeys).toEqual([]);
  });

  it('name a secret that is set twice, or whose file is not there, and never tell it', () => {
    const twice = problemsOf({ ...LOCAL, LINK_SECRET: 'y'.repeat(40), LINK_SECRET_FILE: '/dev/null' });
    expect(twice).toEqual(['LINK_SECRET_FILE: set either this or LINK_SECRET']);
    const gone = problemsOf({ ...LOCAL, DASHBOARD_PASSWORD_FILE: '/nowhere/password' });
    expect(gone).toEqual([expect.stringMatching(/^DASHBOARD_PASSWORD_FILE: ENOENT.*\/nowhere\/password/)]);
    expect(problemsOf({ ...LOCAL, LINK_SECRETS_FILE: '/x' })).toEqual([
      'LINK_SECRETS_FILE: there is no such setting. Did you mean LINK_SECRET_FILE?',
    ]);
  });

  it('refuse a fence that is shorter than a signature is good for', () => {
    expect(problemsOf({ REDIS_URL: LOCAL.REDIS_URL, FENCE_SECONDS: '300' })[0]).toContain(
      'FENCE_SECONDS: 300 is less than 960',
    );
    expect(
      problemsOf({
        ...LOCAL,
        AWS_ENDPOINT_URL_SESV2: 'https://email.eu-west-1.amazonaws.com',
        FENCE_SECONDS: '300',
      }),
    ).toHaveLength(1);
    expect(
      problemsOf({ ...LOCAL, FENCE_SECONDS: '8', SES_SIGNATURE_SECONDS: '5', SES_TIMEOUT_SECONDS: '5' }),
    ).toEqual([]);
    expect(
      problemsOf({ ...LOCAL, FENCE_SECONDS: '4', SES_SIGNATURE_SECONDS: '5', SES_TIMEOUT_SECONDS: '2' }),
    ).toHaveLength(1);
  });

  it('never open the dashboard to others without a password', () => {
    expect(problemsOf({ ...LOCAL, DASHBOARD_HOST: '0.0.0.0' })[0]).toContain('DASHBOARD_PASSWORD is needed');
    expect(problemsOf({ ...LOCAL, DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PASSWORD: 'long enough' })).toEqual(
      [],
    );
  });

  it('take a name for this machine at its word only when it is one', () => {
    const opened = problemsOf({ ...LOCAL, DASHBOARD_HOST: '127.evil.example' });
    expect(opened[0]).toContain('DASHBOARD_PASSWORD is needed');
    for (const DASHBOARD_HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
      expect(problemsOf({ ...LOCAL, DASHBOARD_HOST })).toEqual([]);
    for (const DASHBOARD_HOST of ['0.0.0.0', '::', '10.0.0.5'])
      expect(problemsOf({ ...LOCAL, DASHBOARD_HOST })).toHaveLength(1);
  });

  it('open the dashboard to others for people with hashes or of an identity provider', async () => {
    const hash = await hashPassword('long enough');
    const DASHBOARD_HOST = '0.0.0.0';
    expect(problemsOf({ ...LOCAL, DASHBOARD_HOST, DASHBOARD_PASSWORD_HASH: hash })).toEqual([]);
    expect(problemsOf({ ...LOCAL, DASHBOARD_HOST, DASHBOARD_USERS: `jane:viewer:${hash}` })).toEqual([]);
    expect(problemsOf({ ...LOCAL, DASHBOARD_HOST, ...OIDC })).toEqual([]);
    const { dashboard } = readSettings({ ...LOCAL, ...OIDC, DASHBOARD_USERS: `jane:viewer:${hash}` });
    expect(dashboard.users).toEqual([{ name: 'jane', role: 'viewer', passwordHash: hash }]);
    expect(dashboard.oidc).toMatchObject({
      operators: ['jane@example.com', '@ops.example.com'],
      viewers: [],
    });
  });

  it('name every wrong person by place, and nothing of what stands there', async () => {
    const hash = await hashPassword('long enough');
    const problems = problemsOf({
      ...LOCAL,
      DASHBOARD_USERS: `jane:viewer:geheim, joe:boss:${hash} kim:viewer:${hash} kim:viewer:${hash} ann:geheim`,
    });
    expect(problems.map((problem) => problem.slice(0, 24))).toEqual(
      [1, 2, 4, 5].map((place) => `DASHBOARD_USERS: entry ${place}`),
    );
    expect(problems.join()).not.toContain('geheim');
  });

  it('refuse access that contradicts itself or is half set', async () => {
    const hash = await hashPassword('long enough');
    const both = { DASHBOARD_PASSWORD: 'long enough', DASHBOARD_PASSWORD_HASH: hash };
    expect(problemsOf({ ...LOCAL, ...both })).toHaveLength(1);
    expect(
      problemsOf({ ...LOCAL, DASHBOARD_PASSWORD: 'long enough', DASHBOARD_USERS: `admin:viewer:${hash}` }),
    ).toHaveLength(1);
    expect(problemsOf({ ...LOCAL, OIDC_ISSUER: 'https://id.example.com' })).toHaveLength(4);
    expect(problemsOf({ ...LOCAL, ...OIDC, OIDC_ISSUER: 'http://id.example.com' })).toHaveLength(1);
    expect(problemsOf({ ...LOCAL, ...OIDC, OIDC_VIEWERS: 'jane' })).toHaveLength(1);
  });

  it('do not repeat secrets in their complaints', () => {
    expect(problemsOf({ ...LOCAL, DASHBOARD_PASSWORD: 'geheim', LINK_SECRET: 'auch' }).join()).not.toMatch(
      /geheim|auch/,
    );
  });
});
