import { readHold } from '@sendonce/shared/continuity';
import type { Check } from './finding.js';

export const checkContinuity: Check = {
  subject: 'Data',
  why: 'Older data do not know who was served since, and would have them served again.',
  look: async ({ redis, settings }) => {
    const hold = await readHold(redis, settings.redis.prefix);
    return [
      {
        check: 'Data',
        verdict: hold ? 'error' : 'ok',
        detail: hold ? `everything is held: ${hold.reason}` : 'nothing is held',
        mend: 'Read docs/operations.md, "After a restore", then `npm run sendonce -- hold --release skip` (or as-is).',
      },
    ];
  },
};
