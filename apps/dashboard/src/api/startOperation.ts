/** Starting a run: the one request that must not count twice. See `RunRequests` for how it does not. */
import { assertRunnable, type LoadedCampaign, loadCampaign } from '@sendonce/shared/campaign';
import { runJson } from '@sendonce/shared/run';
import { z } from 'zod';
import { idempotencyKey, unquoted } from './idempotencyKey.js';
import { type Operation, operation } from './operation.js';
import { ProblemError } from './problems.js';
import { campaignId, Run } from './schemas.js';
import type { ApiConfig, ApiServices } from './services.js';

/** A client's clock may be ahead of ours by this much, ms. */
const CLOCK_SKEW_MS = 60_000;

export function startOperation(services: ApiServices, config: ApiConfig): Operation {
  const { audit, logger, requests } = services;
  return operation({
    id: 'startRun',
    method: 'post',
    url: '/campaigns/{campaign}/runs',
    group: 'Runs',
    scope: 'runs',
    summary: 'Start a run',
    description: `It begins at once. The same Idempotency-Key is the same run, as long as the run is known (LEDGER_RETENTION_DAYS, 90 by default), whichever dashboard is asked and whatever died in between: repeat a request that got no answer. The key is needed because without one such a repetition would be a second run, and a second mail to everybody.`,
    path: z.strictObject({ campaign: campaignId }),
    headers: z.object({ 'idempotency-key': idempotencyKey('run') }),
    body: z.strictObject({
      scheduled_at: z.iso
        .datetime({ offset: true, error: 'Expected a time with its zone, as 2026-11-24T10:00:00Z.' })
        .optional()
        .meta({
          description:
            'The occurrence that the run is for, to the second; default: now. Not in the future: a schedule is a matter of the campaign. A run of this time that is there, whoever started it, is this run.',
        }),
    }),
    answers: {
      201: { description: 'It was started.', schema: Run, headers: { Location: 'The run.' } },
      200: {
        description: 'It was started before; nothing is sent twice.',
        schema: Run,
        headers: {
          Location: 'The run.',
          'Idempotency-Replayed': '`true` when it was started with this key.',
        },
      },
    },
    problems: [
      'unknown-campaign',
      'invalid-campaign',
      'message-template',
      'invalid-time',
      'key-reused',
      'forgotten-run',
    ],
    handle: async ({ path: { campaign }, headers, body, client, base }) => {
      const scheduledAt = body.scheduled_at === undefined ? undefined : new Date(body.scheduled_at);
      if (scheduledAt) assertStartable(scheduledAt, services.clock.now(), config.ledgerRetentionMs);
      const { record, created, replayed } = await requests.start(
        {
          client,
          idempotencyKey: unquoted(headers['idempotency-key']),
          campaign,
          ...(scheduledAt && { scheduledAt }),
        },
        () => loadRunnable(config.campaignsDir, campaign),
      );
      const outcome = created ? 'done' : 'nothing';
      await audit.record({
        who: client,
        via: 'api',
        action: 'campaign.run',
        subject: campaign,
        outcome,
        detail: record.id,
      });
      logger.info({ run: record.id, client, created }, 'run asked for by the API');
      return {
        status: created ? 201 : 200,
        body: runJson(record),
        headers: {
          location: `${base}/runs/${record.id}`,
          ...(replayed && { 'idempotency-replayed': 'true' }),
        },
      };
    },
  });
}

/** Before the key is used up. */
async function loadRunnable(dir: string, id: string): Promise<LoadedCampaign> {
  const campaign = await loadCampaign(dir, id);
  assertRunnable(campaign);
  return campaign;
}

/** Of a time that long ago nobody knows whether it had a run. */
function assertStartable(scheduledAt: Date, now: number, retentionMs: number): void {
  if (scheduledAt.getTime() > now + CLOCK_SKEW_MS)
    throw new ProblemError('invalid-time', {
      detail: 'scheduled_at is in the future, and runs begin at once. Give the campaign a schedule.',
    });
  if (scheduledAt.getTime() < now - retentionMs)
    throw new ProblemError('invalid-time', {
      detail: 'scheduled_at is longer ago than runs are remembered: it may have been sent.',
    });
}
