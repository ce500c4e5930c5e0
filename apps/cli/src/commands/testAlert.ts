import { openAlerts } from '@sendonce/alerts';
import { readSettings, UsageError } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { print } from '../output.js';

const WAYS = { ses: 'Amazon SES', smtp: 'ALERT_SMTP_URL', webhook: 'ALERT_WEBHOOK_URL' };

export function addTestAlertCommand(program: Command): void {
  program
    .command('test-alert')
    .description('send a test alert by every way that is set, and say which arrived')
    .action(async () => {
      const { alerts: options } = readSettings();
      if (!options.admins && !options.webhookUrl)
        throw new UsageError('Nobody would be told: set ADMINS and SERVER_EMAIL, or ALERT_WEBHOOK_URL.');
      const { redisUrl: _, ...alone } = options;
      const { alerts, close } = openAlerts({ ...alone, name: 'sendonce test-alert' });
      const results = await alerts.test({
        subject: 'A test: alerts arrive',
        text: `This is what alerts look like. Nothing is wrong.\n\nWhere     ${alerts.source}\n`,
      });
      await close();
      for (const { channel, error } of results)
        print(error === undefined ? `✓ ${WAYS[channel]} took it` : `✗ ${WAYS[channel]}: ${error}`);
      if (results.some(({ error }) => error !== undefined)) process.exitCode = 1;
    });
}
