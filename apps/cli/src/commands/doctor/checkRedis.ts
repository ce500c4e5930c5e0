import { keepsClaims } from '@sendonce/shared/conditions';
import { readDurability } from '@sendonce/shared/ledger';
import type { Check } from './finding.js';

export const checkRedis: Check = {
  subject: 'Redis durability',
  why: 'Redis is the ledger: a claim that it forgets is a mail that goes out twice.',
  look: async ({ redis, settings }) => {
    const info = await redis.info('server');
    const [, kind = 'redis', version = '?'] =
      /^(valkey)_version:(\S+)/m.exec(info) ?? /^(redis)_version:(\S+)/m.exec(info) ?? [];
    const durability = await readDurability(redis, settings.redis.minReplicas);
    const { detail, mend } = durability;
    const verdict = mend === undefined ? 'ok' : keepsClaims(durability) ? 'warning' : 'error';
    return [
      {
        check: 'Redis',
        verdict: 'ok',
        detail: `${kind === 'valkey' ? `Valkey ${version}` : `version ${version}`} answers`,
      },
      { check: 'Redis durability', verdict, detail, ...(mend && { mend }) },
    ];
  },
};
