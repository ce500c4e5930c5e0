import { findLinkObstacle } from '@sendonce/shared/suppression';
import type { Check } from './finding.js';

const CHECK = 'Links to unsubscribe';

export const checkLinks: Check = {
  subject: CHECK,
  why: 'Mail providers want a way out in every mail (RFC 8058), and who finds none calls the mail spam.',
  look: async ({ settings }) => {
    const obstacle = findLinkObstacle(settings);
    if (obstacle) return [{ check: CHECK, verdict: 'error', detail: obstacle, mend: 'PUBLIC_URL=https://…' }];
    const isKept = settings.public.linkSecret !== undefined || settings.ses.isLocal;
    return [
      {
        check: CHECK,
        verdict: isKept ? 'ok' : 'warning',
        detail: isKept
          ? `lead to ${settings.public.url}`
          : 'LINK_SECRET is not set: they are dead once the data of this Redis are lost',
        mend: 'LINK_SECRET=$(openssl rand -base64 32)',
      },
    ];
  },
};
