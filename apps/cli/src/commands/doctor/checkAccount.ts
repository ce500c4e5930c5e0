import { messageOf } from '@sendonce/shared/runtime';
import { SesClient } from '@sendonce/shared/ses';
import type { Check } from './finding.js';

export const checkAccount: Check = {
  subject: 'SES',
  why: 'Without an account that may send, runs pause; in the sandbox they reach verified recipients only.',
  look: async ({ settings: { ses: settings } }) => {
    const ses = new SesClient(settings);
    const where = settings.endpoint ?? `Amazon SES in ${settings.region}`;
    try {
      const {
        SendQuota = {},
        SendingEnabled,
        ProductionAccessEnabled,
        EnforcementStatus,
      } = await ses.account();
      const { Max24HourSend = 0, MaxSendRate = 0, SentLast24Hours = 0 } = SendQuota;
      const quota =
        Max24HourSend < 0 ? 'no daily limit' : `${SentLast24Hours} of ${Max24HourSend} used in 24 hours`;
      const isShut = EnforcementStatus === 'SHUTDOWN';
      const isOpen = SendingEnabled !== false && !isShut;
      return [
        {
          check: 'SES',
          verdict: 'ok',
          detail: `${where} answers; ${MaxSendRate} recipients a second, ${quota}`,
        },
        {
          check: 'SES sending',
          verdict: isOpen ? 'ok' : 'error',
          detail: isShut ? 'suspended by AWS' : isOpen ? 'enabled' : 'paused for this account',
          mend: isShut
            ? 'See the account dashboard of the SES console: it says why, and how to ask for a review.'
            : 'aws sesv2 put-account-sending-attributes --sending-enabled, once its cause is mended',
        },
        {
          check: 'SES sandbox',
          verdict: ProductionAccessEnabled ? 'ok' : 'warning',
          detail: ProductionAccessEnabled
            ? 'the account has production access'
            : 'in the sandbox: only verified recipients, 200 a day, 1 a second',
          mend: 'aws sesv2 put-account-details --production-access-enabled …, or "Request production access" in the SES console',
        },
      ];
    } catch (error) {
      const mend =
        'Check AWS_REGION, the credentials (AWS_ACCESS_KEY_ID or a role) and that they allow ses:GetAccount.';
      return [{ check: 'SES', verdict: 'error', detail: `${where}: ${messageOf(error)}`, mend }];
    } finally {
      ses.close();
    }
  },
};
