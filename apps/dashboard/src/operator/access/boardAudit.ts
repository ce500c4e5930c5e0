/** What operators do by Bull Board's buttons, for the audit trail: its API's paths, read as deeds. */
import type { AuditAction, AuditOutcome, AuditTrail } from '@sendonce/shared/audit';
import type { Logger } from '@sendonce/shared/runtime';
import type { RequestHandler } from 'express';
import { isChange } from './changes.js';
import { viewerOf } from './sessions.js';

/** The first that fits a path after `/api/queues/`. A button that a later version brings is at least a change. */
const DEEDS: [RegExp, AuditAction][] = [
  [/^(?:[^/]+\/)?pause$/, 'queue.pause'],
  [/^(?:[^/]+\/)?resume$/, 'queue.resume'],
  [/^[^/]+\/(?:clean\/[^/]+|empty|obliterate)$/, 'queue.clean'],
  [/^[^/]+\/retry\/[^/]+$/, 'job.retry'],
  [/^[^/]+\/promote$/, 'job.promote'],
  [/^[^/]+\/(?:add|concurrency|rate-limit.*|job-schedulers\/.*)$/, 'queue.change'],
  [/^[^/]+\/[^/]+\/retry$/, 'job.retry'],
  [/^[^/]+\/[^/]+\/promote$/, 'job.promote'],
  [/^[^/]+\/[^/]+\/clean$/, 'job.remove'],
  [/^[^/]+\/[^/]+\/.+$/, 'job.change'],
];

const OF_ONE_JOB = /^[^/]+\/(?!retry\/|clean\/|rate-limit\/|job-schedulers\/)[^/]+\/[^/]+$/;
const OF_ALL_QUEUES = /^(?:pause|resume)$/;

export function auditBoard(audit: AuditTrail, logger: Logger): RequestHandler {
  return (request, response, next) => {
    if (!isChange(request)) return next();
    const { name: who } = viewerOf(response);
    const { method, path } = request;
    // Bull Board answers itself, so this comes after its answer.
    response.once('finish', () => {
      const deed = {
        who,
        via: 'dashboard' as const,
        ...deedOf(method, path),
        outcome: outcomeOf(response.statusCode),
      };
      audit
        .record(deed)
        .catch((error: unknown) => logger.error({ err: error, path }, 'not in the audit trail'));
    });
    next();
  };
}

/** @param path under Bull Board's own. */
export function deedOf(
  method: string,
  path: string,
): { action: AuditAction; subject: string; detail: string } {
  const rest = path.replace(/^\/api\/queues\//, '');
  const [, action = 'queue.change' as const] = DEEDS.find(([form]) => form.test(rest)) ?? [];
  const [queue = '', job = ''] = rest.split('/').map(decode);
  const subject = OF_ONE_JOB.test(rest)
    ? `${queue}: ${job}`
    : OF_ALL_QUEUES.test(rest)
      ? 'all queues'
      : queue;
  return { action, subject, detail: `Bull Board: ${method} ${decode(rest)}` };
}

function outcomeOf(status: number): AuditOutcome {
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'done';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
