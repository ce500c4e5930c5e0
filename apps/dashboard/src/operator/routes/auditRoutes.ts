/** `/audit`: who did what. */
import { type AuditTrail, isAuditId } from '@sendonce/shared/audit';
import { Router } from 'express';
import { viewerOf } from '../access/sessions.js';
import { layout } from '../layout.js';
import { auditView } from '../pages/audit.js';
import { refuse } from '../problemPage.js';

const ENTRIES_SHOWN = 100;

export function auditRoutes({ audit }: { audit: AuditTrail }): Router {
  const router = Router();
  router.get('/audit', async (request, response) => {
    const { before } = request.query;
    if (before !== undefined && !(typeof before === 'string' && isAuditId(before)))
      return refuse(request, response, 400, 'There is no such place in the audit trail.');
    const entries = await audit.list({ limit: ENTRIES_SHOWN, ...(before && { before }) });
    const older = entries.length === ENTRIES_SHOWN ? entries.at(-1)?.id : undefined;
    response.type('html').send(layout(auditView(entries, older), viewerOf(response)));
  });
  return router;
}
