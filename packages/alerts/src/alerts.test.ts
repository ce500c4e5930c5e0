import { describe, expect, it } from 'vitest';
import { Alerts } from './alerts.js';

describe('why an alert was not sent', () => {
  it('is told to the next channel and to the log without the addresses that SES and mail servers name', async () => {
    const said: string[] = [];
    const alerts = new Alerts(
      {
        channels: [
          {
            name: 'ses',
            send: async () => {
              throw new Error('The following identities failed the check: server@example.com');
            },
          },
          {
            name: 'webhook',
            send: async ({ text }) => {
              said.push(text);
              throw new Error('rejected: ops@example.com');
            },
          },
        ],
        onUndelivered: (reason) => said.push(reason),
      },
      { source: 'test' },
    );
    alerts.take({ fingerprint: 'x', title: 'x', detail: '', source: 'test' });
    await alerts.close();
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('identities failed the check: <address>');
    expect(said.join('\n')).not.toContain('@example.com');
  });
});
