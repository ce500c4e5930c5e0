/** `/hold`: why nothing is sent, and going on. */
import type { AuditTrail } from '@sendonce/shared/audit';
import { readHold, releaseHold, skipForgotten } from '@sendonce/shared/continuity';
import type { ControlServices } from '@sendonce/shared/control';
import type { Clock, RedisConnection } from '@sendonce/shared/runtime';
import { Router } from 'express';
import { z } from 'zod';
import { viewerOf } from '../access/sessions.js';
import { layout } from '../layout.js';
import { holdView } from '../pages/hold.js';
import { refuse } from '../problemPage.js';

export interface HoldServices extends ControlServices {
  audit: AuditTrail;
  clock: Clock;
  prefix: string;
  redis: RedisConnection;
}

const Form = z.object({ way: z.enum(['skip', 'as-is']) });

export function holdRoutes(services: HoldServices, campaignsDir: string): Router {
  const { audit, clock, prefix, redis } = services;
  const router = Router();
  router.get('/hold', async (_, response) => {
    const viewer = viewerOf(response);
    response.type('html').send(layout(holdView(await readHold(redis, prefix), viewer), viewer));
  });
  router.post('/hold/release', async (request, response) => {
    const form = Form.safeParse(request.body);
    if (!form.success) return refuse(request, response, 400, 'There is no such way to go on.');
    const hold = await readHold(redis, prefix);
    if (!hold) return response.redirect(303, '/hold');
    const { dataAt } = hold;
    const { way } = form.data;
    const skipped =
      way === 'skip'
        ? await skipForgotten(services, { campaignsDir, dataAt, now: new Date(clock.now()) })
        : [];
    const isReleased = await releaseHold(redis, prefix);
    await audit.record({
      who: viewerOf(response).name,
      via: 'dashboard',
      action: 'hold.release',
      outcome: isReleased ? 'done' : 'nothing',
      detail: `${way} ${skipped.join(' ')}`.trim(),
    });
    response.redirect(303, '/hold');
  });
  return router;
}
