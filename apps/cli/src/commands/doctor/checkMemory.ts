import { readMemory } from '@sendonce/shared/ledger';
import type { Check } from './finding.js';

const WARN_AT = 0.75;
const ERROR_AT = 0.9;

export const checkMemory: Check = {
  subject: 'Redis memory',
  why: 'A Redis that is full refuses writes: runs stand still, and answers of SES can not be written down, so they are in doubt.',
  look: async ({ redis }) => {
    const { usedBytes, limitBytes, isLimited } = await readMemory(redis);
    const share = limitBytes > 0 ? usedBytes / limitBytes : 0;
    const of = isLimited ? 'maxmemory' : "the machine's memory";
    return [
      {
        check: 'Redis memory',
        verdict: share >= ERROR_AT ? 'error' : share >= WARN_AT ? 'warning' : 'ok',
        detail: `${megabytes(usedBytes)} of ${megabytes(limitBytes)} used (${Math.round(share * 100)}% of ${of})`,
        mend: `${isLimited ? moreThan(limitBytes) : 'Give the machine of Redis more memory'}, or keep less: JOURNAL_RETENTION_DAYS`,
      },
    ];
  },
};

function moreThan(bytes: number): string {
  return `redis-cli CONFIG SET maxmemory ${Math.ceil((bytes * 2) / 1_048_576)}mb; redis-cli CONFIG REWRITE`;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MB`;
}
