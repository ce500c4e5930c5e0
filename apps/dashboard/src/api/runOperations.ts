/** Looking at runs, and what operators do to them. */
import { cancelRun, pauseRun, resumeRun } from '@sendonce/shared/control';
import { reportAsJson, runReport } from '@sendonce/shared/report';
import { runJson, UnknownRunError } from '@sendonce/shared/run';
import { z } from 'zod';
import { type Operation, operation, type Reply } from './operation.js';
import { ProblemError } from './problems.js';
import { campaignId, Report, Run, Runs, runId } from './schemas.js';
import type { ApiServices } from './services.js';

const PATH = z.strictObject({ run: runId });

const PAGE = z.strictObject({
  campaign: campaignId.optional().meta({ description: 'Only its runs.' }),
  limit: z.coerce.number().int().min(1).max(100).default(20).meta({ description: 'Runs a page.' }),
  before: runId.optional().meta({ description: 'The next page: what the page before has as `before`.' }),
});

/** Shown wherever the run is, and logged. */
const reason = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .regex(/^[^@]*$/, 'Expected no address: reasons are shown and logged.')
  .optional()
  .meta({ description: 'For operators, without addresses; default: which key it was.' });

export function runOperations(services: ApiServices): Operation[] {
  const { runs } = services;
  return [
    operation({
      id: 'listRuns',
      method: 'get',
      url: '/runs',
      group: 'Runs',
      scope: 'read',
      summary: 'List the runs',
      description: 'The newest scheduled time first.',
      query: PAGE,
      answers: { 200: { description: 'A page of runs.', schema: Runs } },
      handle: ({ query }) => listRuns(services, query),
    }),
    operation({
      id: 'getRun',
      method: 'get',
      url: '/runs/{run}',
      group: 'Runs',
      scope: 'read',
      summary: 'Get a run',
      path: PATH,
      answers: { 200: { description: 'The run, its numbers, and what became of its mails.', schema: Run } },
      problems: ['unknown-run'],
      handle: async ({ path: { run } }) => ({ status: 200, body: runJson(await runs.get(run)) }),
    }),
    operation({
      id: 'getRunReport',
      method: 'get',
      url: '/runs/{run}/report',
      group: 'Runs',
      scope: 'read',
      summary: 'Get what came of a run',
      description: 'Clicks show up five seconds after they were made.',
      path: PATH,
      answers: {
        200: { description: 'Its numbers, what became of its mails, and the clicks.', schema: Report },
      },
      problems: ['unknown-run'],
      handle: async ({ path: { run } }) => ({
        status: 200,
        body: reportAsJson(await runReport(services, run)),
      }),
    }),
    ...controlOperations(services),
  ];
}

async function listRuns({ runs }: ApiServices, query: z.infer<typeof PAGE>): Promise<Reply> {
  const { limit, campaign, before } = query;
  const options = { ...(campaign && { campaign }), ...(before && { before }) };
  try {
    // One more, to see whether there is another page.
    const found = await runs.list(limit + 1, options);
    const page = found.slice(0, limit);
    const next = found.length > limit ? page.at(-1)?.id : undefined;
    return { status: 200, body: { runs: page.map(runJson), ...(next && { before: next }) } };
  } catch (error) {
    if (!(error instanceof UnknownRunError)) throw error;
    const errors = [{ detail: 'There is no such run (any more).', parameter: 'before' }];
    throw new ProblemError('malformed-request', { members: { errors } });
  }
}

const CONTROLS = [
  {
    verb: 'pause',
    summary: 'Pause a run',
    description: 'Workers claim nobody any more within a moment; what is under way is settled.',
    body: z.strictObject({ reason }),
    apply: pauseRun,
  },
  {
    verb: 'resume',
    summary: 'Go on with a paused run',
    description: 'Also with one that paused by itself.',
    body: z.strictObject({}),
    apply: (services: ApiServices, run: string) => resumeRun(services, run),
  },
  {
    verb: 'cancel',
    summary: 'Cancel a run, for good',
    description: 'Who is queued gets nothing; what is under way is settled.',
    body: z.strictObject({ reason }),
    apply: cancelRun,
  },
] as const;

function controlOperations(services: ApiServices): Operation[] {
  const { audit, logger, runs } = services;
  return CONTROLS.map(({ verb, summary, description, body, apply }) =>
    operation({
      id: `${verb}Run`,
      method: 'post',
      url: `/runs/{run}/${verb}`,
      group: 'Runs',
      scope: 'runs',
      summary,
      description: `${description} Repeated, it is answered with 409 and the run as it is.`,
      path: PATH,
      body: body as z.ZodObject<{ reason: typeof reason }>,
      answers: { 200: { description: 'The run, after it.', schema: Run } },
      problems: ['unknown-run', 'wrong-state'],
      handle: async ({ path: { run }, body: { reason: given }, client }) => {
        const isDone = await apply(services, run, given ?? `by the API key ${client}`);
        const record = await runs.get(run);
        if (!isDone)
          throw new ProblemError('wrong-state', {
            detail: `It is ${record.status}: nothing to ${verb}.`,
            members: { run: runJson(record) },
          });
        await audit.record({
          who: client,
          via: 'api',
          action: `run.${verb}`,
          subject: run,
          outcome: 'done',
          ...(given && { detail: given }),
        });
        logger.info({ run, client, verb }, 'run controlled by the API');
        return { status: 200, body: runJson(record) };
      },
    }),
  );
}
