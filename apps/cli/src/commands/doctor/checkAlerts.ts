import { parseMailboxes } from '@sendonce/alerts';
import { SesClient } from '@sendonce/shared/ses';
import { type Check, notAllowed } from './finding.js';

const CHECK = 'Alerts';

export const checkAlerts: Check = {
  subject: CHECK,
  why: 'Who is not told that something went wrong hears of it from recipients.',
  look: async ({ settings }) => {
    const { admins, serverEmail = '', webhookUrl, smtpUrl } = settings.alerts;
    const mend = 'Set ADMINS and SERVER_EMAIL (docs/alerts.md), then try `npm run sendonce -- test-alert`.';
    if (!admins && !webhookUrl)
      return [{ check: CHECK, verdict: 'warning', detail: 'nobody is told when something goes wrong', mend }];
    if (!admins) return [{ check: CHECK, verdict: 'ok', detail: 'go to ALERT_WEBHOOK_URL' }];
    const { length: people } = parseMailboxes(admins);
    const told = people === 1 ? 'one administrator' : `${people} administrators`;
    const second = [smtpUrl && 'ALERT_SMTP_URL', webhookUrl && 'ALERT_WEBHOOK_URL']
      .filter(Boolean)
      .join(', ');
    const observations = [await lookAtSender(new SesClient(settings.ses), serverEmail, told)];
    if (second) return observations;
    return [
      ...observations,
      {
        check: 'Alerts without SES',
        verdict: 'warning',
        detail: 'none: when SES is what is broken, nobody is told',
        mend: 'Set ALERT_WEBHOOK_URL or ALERT_SMTP_URL (docs/alerts.md).',
      },
    ];
  },
};

async function lookAtSender(ses: SesClient, serverEmail: string, told: string) {
  const domain = parseMailboxes(serverEmail)[0]?.address.split('@').at(-1) ?? '';
  try {
    const { isVerified } = await ses.identity(domain);
    return {
      check: CHECK,
      verdict: isVerified ? ('ok' as const) : ('error' as const),
      detail: isVerified ? `go to ${told}` : `SERVER_EMAIL is of ${domain}, which SES has not verified`,
      mend: 'Verify the domain of SERVER_EMAIL: docs/aws.md, step 3.',
    };
  } catch (error) {
    return notAllowed(CHECK, error, 'ses:GetEmailIdentity');
  } finally {
    ses.close();
  }
}
