import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from './index.js';

const LOCAL = { REDIS_URL: 'redis://127.0.0.1:6379', AWS_ENDPOINT_URL_SESV2: 'http://127.0.0.1:8025' };

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

  it('do not repeat secrets in their complaints', () => {
    expect(problemsOf({ ...LOCAL, DASHBOARD_PASSWORD: 'geheim', LINK_SECRET: 'auch' }).join()).not.toMatch(
      /geheim|auch/,
    );
  });
});
