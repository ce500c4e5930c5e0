import { expect, test } from 'vitest';
import { startSesLocal } from './index.js';
import { readSettings } from './settings.js';

test('an empty environment gives the defaults', () => {
  expect(readSettings({})).toMatchObject({
    logLevel: 'info',
    exitsWithParent: false,
    config: { host: '127.0.0.1', port: 8025, signatureSeconds: 300, configurationSets: ['sendonce'] },
  });
});

test('the name among the other processes wins over the short one', () => {
  expect(readSettings({ PORT: '1', SES_LOCAL_PORT: '2' }).config.port).toBe(2);
  expect(readSettings({ PORT: '1', SES_LOCAL_PORT: '' }).config.port).toBe(1);
  expect(readSettings({ SIGNATURE_SECONDS: '1.5' }).config.signatureSeconds).toBe(1.5);
  expect(readSettings({ CONFIGURATION_SETS: 'a, b' }).config.configurationSets).toEqual(['a', 'b']);
});

test('all problems are told at once, by the name that was used', () => {
  const read = () =>
    readSettings({ SES_LOCAL_PORT: 'x', MAX_24H: '-7', EVENTS_ENDPOINT: 'ftp://a', LOG_LEVEL: 'loud' });
  expect(read).toThrow(/^SES_LOCAL_PORT: .*\nMAX_24H: .*\nEVENTS_ENDPOINT: expected an http.*\nLOG_LEVEL: /);
});

test('stopping twice is harmless, and the port is free again', async () => {
  const first = await startSesLocal();
  await first.stop();
  await first.stop();
  const second = await startSesLocal({ port: first.port });
  expect(second.port).toBe(first.port);
  await second.stop();
});

test('a port that is taken is an error', async () => {
  const first = await startSesLocal();
  await expect(startSesLocal({ port: first.port })).rejects.toThrow('EADDRINUSE');
  await first.stop();
});
