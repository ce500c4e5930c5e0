/**
 * Who gets no mail. Addresses are what this is about, so they are in paths and answers here, for keys with the scope
 * `suppressions` only; the log names nobody. Whoever has a proxy that logs paths takes POST.
 */
import { maskAddress } from '@sendonce/shared/audience';
import type { Suppression as Entry, SuppressionList } from '@sendonce/shared/suppression';
import { z } from 'zod';
import { type Operation, operation } from './operation.js';
import { ProblemError } from './problems.js';
import { AddressSuppressions, address, reason, Suppression, SuppressionsReport, scope } from './schemas.js';
import type { ApiServices } from './services.js';

/** What fits into a body, and is written in one round. */
const ENTRIES_A_REQUEST = 100;

const PATH = z.strictObject({ address });
const COMMON = { group: 'Suppressions', scope: 'suppressions' } as const;

export function suppressionOperations(services: ApiServices): Operation[] {
  return [listAll(services), addMany(services), getOne(services), putOne(services), deleteOne(services)];
}

function listAll({ suppressions }: ApiServices): Operation {
  return operation({
    ...COMMON,
    id: 'listSuppressions',
    method: 'get',
    url: '/suppressions',
    summary: 'Read the whole list',
    description:
      'A line an entry, in no order of use; an address has several when it is on it for several campaigns.',
    answers: { 200: { description: 'The list as NDJSON.', schema: Suppression, form: 'lines' } },
    handle: async () => ({ status: 200, lines: allEntries(suppressions) }),
  });
}

function addMany({ audit, clock, logger, suppressions }: ApiServices): Operation {
  return operation({
    ...COMMON,
    id: 'addSuppressions',
    method: 'post',
    url: '/suppressions',
    summary: 'Put addresses on the list',
    description: `All of them or, when one can't be used, none. An entry that is there keeps its reason unless the new one is stronger. May be repeated.`,
    body: z.strictObject({
      entries: z
        .array(z.strictObject({ address, campaign: scope, reason }))
        .min(1)
        .max(ENTRIES_A_REQUEST),
    }),
    answers: { 200: { description: 'What became of the entries.', schema: SuppressionsReport } },
    handle: async ({ body: { entries }, client }) => {
      const since = new Date(clock.now());
      const report = { added: 0, known: 0, strengthened: 0 };
      const added = await suppressions.addMany(
        entries.map(({ campaign, ...entry }) => ({ ...entry, scope: campaign, since })),
      );
      for (const what of added) report[what] += 1;
      const outcome = report.added + report.strengthened > 0 ? 'done' : 'nothing';
      const detail = `${report.added} added, ${report.known + report.strengthened} known`;
      await audit.record({ who: client, via: 'api', action: 'suppression.import', outcome, detail });
      logger.info({ client, ...report }, 'suppressions added by the API');
      return { status: 200, body: report };
    },
  });
}

function getOne({ suppressions }: ApiServices): Operation {
  return operation({
    ...COMMON,
    id: 'getSuppression',
    method: 'get',
    url: '/suppressions/{address}',
    summary: 'Look an address up',
    path: PATH,
    answers: { 200: { description: 'It gets no mail of these.', schema: AddressSuppressions } },
    problems: ['unknown-suppression'],
    handle: async ({ path }) => {
      const entries = await suppressions.find(path.address);
      if (entries.length === 0) throw new ProblemError('unknown-suppression');
      return { status: 200, body: { address: path.address, entries: entries.map(entryJson) } };
    },
  });
}

function putOne({ audit, clock, logger, suppressions }: ApiServices): Operation {
  return operation({
    ...COMMON,
    id: 'putSuppression',
    method: 'put',
    url: '/suppressions/{address}',
    summary: 'Put an address on the list',
    description: 'An entry that is there keeps its reason unless the new one is stronger.',
    path: PATH,
    body: z.strictObject({ campaign: scope, reason }),
    answers: {
      200: { description: 'It was on it.', schema: AddressSuppressions },
      201: { description: 'It is on it now.', schema: AddressSuppressions },
    },
    handle: async ({ path, body, client }) => {
      const since = new Date(clock.now());
      const { campaign, reason: why } = body;
      const added = await suppressions.add({ address: path.address, scope: campaign, reason: why, since });
      const entries = await suppressions.find(path.address);
      const outcome = added === 'known' ? 'nothing' : 'done';
      await audit.record({
        ...deed(client, path.address),
        action: 'suppression.add',
        outcome,
        detail: campaign,
      });
      logger.info({ client, campaign, added }, 'suppression put by the API');
      return {
        status: added === 'added' ? 201 : 200,
        body: { address: path.address, entries: entries.map(entryJson) },
      };
    },
  });
}

function deleteOne({ audit, logger, suppressions }: ApiServices): Operation {
  return operation({
    ...COMMON,
    id: 'deleteSuppression',
    method: 'delete',
    url: '/suppressions/{address}',
    summary: 'Take an address off the list',
    description: 'One entry: the one for any campaign, or for the one that is named. Others stay.',
    path: PATH,
    query: z.strictObject({ campaign: scope }),
    answers: { 204: { description: 'It is off it.' } },
    problems: ['unknown-suppression'],
    handle: async ({ path, query: { campaign }, client }) => {
      if (!(await suppressions.remove(path.address, campaign)))
        throw new ProblemError('unknown-suppression', { detail: 'There is no such entry.' });
      await audit.record({
        ...deed(client, path.address),
        action: 'suppression.remove',
        outcome: 'done',
        detail: campaign,
      });
      logger.info({ client, campaign }, 'suppression removed by the API');
      return { status: 204 };
    },
  });
}

async function* allEntries(suppressions: SuppressionList): AsyncGenerator<object> {
  for await (const entry of suppressions.entries()) yield { address: entry.address, ...entryJson(entry) };
}

function entryJson({ scope: campaign, reason: why, since, run }: Entry) {
  return { campaign, reason: why, time: since.toISOString(), ...(run && { run }) };
}

function deed(client: string, address: string) {
  return { who: client, via: 'api' as const, subject: maskAddress(address) };
}
