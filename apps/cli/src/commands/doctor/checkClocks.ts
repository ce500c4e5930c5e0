import { systemClock as clock, messageOf } from '@sendonce/shared/runtime';
import { assertClocksAgree, readClockSkew, SesClient } from '@sendonce/shared/ses';
import type { Check } from './finding.js';

const CHECK = 'Clocks';

export const checkClocks: Check = {
  subject: CHECK,
  why: 'The fence stands on clocks that agree within a minute: requests carry the time of their claim.',
  look: async ({ redis, settings }) => {
    const ses = new SesClient(settings.ses);
    try {
      const skew = await readClockSkew({ redis, ses, clock });
      assertClocksAgree(skew);
      const seconds = (ms: number | undefined): string =>
        ms === undefined ? 'unknown' : `${(ms / 1_000).toFixed(1)} s`;
      const detail = `Redis is off by ${seconds(skew.redisMs)}, SES by ${seconds(skew.sesMs)}`;
      return [{ check: CHECK, verdict: 'ok', detail }];
    } catch (error) {
      const mend = 'timedatectl set-ntp true, on every machine';
      return [{ check: CHECK, verdict: 'error', detail: messageOf(error), mend }];
    } finally {
      ses.close();
    }
  },
};
