/** What commands do goes into the audit trail under the name of the machine's user. */
import { userInfo } from 'node:os';
import type { AuditDeed } from '@sendonce/shared/audit';
import type { Context } from './context.js';

export function recordDeed({ audit }: Context, deed: Omit<AuditDeed, 'who' | 'via'>): Promise<void> {
  return audit.record({ who: userName(), via: 'cli', ...deed });
}

/** In a container the user may have a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
