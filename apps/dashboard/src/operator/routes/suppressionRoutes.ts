/** `/suppressions`: looking an address up, putting it on the list, taking it off, importing a file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maskAddress, parseRecipientAddress } from '@sendonce/shared/audience';
import type { AuditTrail } from '@sendonce/shared/audit';
import { type Clock, UsageError } from '@sendonce/shared/runtime';
import {
  EVERYTHING,
  type ImportReport,
  importSuppressions,
  readSuppressionCsv,
  type SuppressionList,
} from '@sendonce/shared/suppression';
import { type Response, Router } from 'express';
import { z } from 'zod';
import { viewerOf } from '../access/sessions.js';
import { layout } from '../layout.js';
import { type SuppressionsPage, suppressionsView } from '../pages/suppressions.js';

export interface SuppressionServices {
  audit: AuditTrail;
  clock: Clock;
  suppressions: SuppressionList;
}

const Form = z.object({
  address: z.string().max(320),
  scope: z
    .string()
    .trim()
    .regex(/^([A-Za-z0-9_-]{1,100}|\*)?$/)
    .default('')
    .transform((scope) => scope || EVERYTHING),
});

export function suppressionRoutes(services: SuppressionServices): Router {
  const { audit, clock, suppressions } = services;
  const router = Router();
  router.get('/suppressions', (_, response) => show(response, {}));
  router.post('/suppressions/find', async (request, response) => {
    const form = read(request.body);
    if ('problem' in form) return show(response, form, 400);
    await showAddress(services, response, form.address);
  });
  router.post('/suppressions/add', async (request, response) => {
    const form = read(request.body);
    if ('problem' in form) return show(response, form, 400);
    const { address, scope } = form;
    const added = await suppressions.add({ address, scope, reason: 'manual', since: new Date(clock.now()) });
    const outcome = added === 'known' ? 'nothing' : 'done';
    await audit.record({
      ...deed(response),
      action: 'suppression.add',
      subject: maskAddress(address),
      outcome,
      detail: scope,
    });
    await showAddress(
      services,
      response,
      address,
      added === 'known' ? 'It is on the list already.' : 'It is on the list now.',
    );
  });
  router.post('/suppressions/remove', async (request, response) => {
    const form = read(request.body);
    if ('problem' in form) return show(response, form, 400);
    const { address, scope } = form;
    const isRemoved = await suppressions.remove(address, scope);
    const outcome = isRemoved ? 'done' : 'nothing';
    await audit.record({
      ...deed(response),
      action: 'suppression.remove',
      subject: maskAddress(address),
      outcome,
      detail: scope,
    });
    await showAddress(
      services,
      response,
      address,
      isRemoved ? 'It is taken off.' : 'There was no such entry.',
    );
  });
  router.post('/suppressions/import', async (request, response) => {
    const { file } = (request.body ?? {}) as { file?: unknown };
    if (!(file instanceof Blob) || file.size === 0)
      return show(response, { problem: 'Choose a CSV file with a header.' }, 400);
    const imported = await importFile(services, file).catch((error: unknown) => {
      if (error instanceof UsageError) return error.message;
      throw error;
    });
    if (typeof imported === 'string') return show(response, { problem: imported }, 400);
    const { added, known, strengthened, invalid } = imported;
    const outcome = added + strengthened > 0 ? 'done' : 'nothing';
    const detail = `${added} added, ${known + strengthened} known, ${invalid.length} invalid`;
    await audit.record({ ...deed(response), action: 'suppression.import', outcome, detail });
    show(response, { imported });
  });
  return router;
}

function read(body: unknown): { address: string; scope: string } | { problem: string } {
  const form = Form.safeParse(body);
  if (!form.success) return { problem: 'The form is not understood: an address, and maybe a campaign.' };
  const address = parseRecipientAddress(form.data.address.trim());
  if ('invalid' in address) return { problem: `The address can’t be used: ${address.invalid}` };
  return { address: address.key, scope: form.data.scope };
}

function deed(response: Response) {
  return { who: viewerOf(response).name, via: 'dashboard' as const };
}

function show(response: Response, page: SuppressionsPage, status = 200): void {
  const viewer = viewerOf(response);
  response
    .status(status)
    .type('html')
    .send(layout(suppressionsView(page, viewer), viewer));
}

async function showAddress(
  { suppressions }: SuppressionServices,
  response: Response,
  address: string,
  message?: string,
): Promise<void> {
  const entries = await suppressions.find(address);
  show(response, { search: { address, entries }, ...(message && { message }) });
}

/** By way of a file of our own: the reader of CSV audiences, with all its care, reads files. */
async function importFile({ clock, suppressions }: SuppressionServices, file: Blob): Promise<ImportReport> {
  const dir = await mkdtemp(join(tmpdir(), 'sendonce-import-'));
  try {
    const path = join(dir, 'import.csv');
    await writeFile(path, file.stream(), { mode: 0o600 });
    const options = { column: 'address', since: new Date(clock.now()), name: 'the file' };
    return await importSuppressions(suppressions, readSuppressionCsv(path, options));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
