/**
 * Loads campaigns from their folders: `campaigns/<id>/campaign.yaml`, `body.txt`, maybe `body.html`. Everything is checked
 * here, templates against the fields of the audience included, so that a run can't start with a mistake that is visible.
 */
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import leven from 'leven';
import { parseMailbox } from '../audience/address.js';
import { AudienceSourceError, openAudience } from '../audience/index.js';
import { TemplateError, usedFields } from '../message/index.js';
import { UsageError } from '../runtime/index.js';
import { CampaignFileError, type CampaignProblem } from './campaignProblem.js';
import {
  CAMPAIGN_ID,
  type Campaign,
  type CampaignInput,
  CampaignSchema,
  KNOWN_KEYS,
} from './campaignSchema.js';
import { readYaml } from './yamlFile.js';

export interface CampaignBody {
  text: string;
  html?: string;
}

/** All that a run needs, as JSON: pinned when the run is created, so that later edits change nothing in it. */
export interface CampaignSnapshot {
  id: string;
  definition: Campaign;
  body: CampaignBody;
  /** SHA-256 over definition and bodies, 16 hex digits: which version of the campaign was sent. */
  hash: string;
  /** Absolute; paths in the definition are relative to it. */
  baseDir: string;
}

export type LoadedCampaign = CampaignSnapshot;

export interface LoadedCampaigns {
  campaigns: LoadedCampaign[];
  problems: CampaignProblem[];
  /** Every campaign's folder, the broken ones too. */
  ids: string[];
}

/** All campaigns of a folder, and every problem of every file. @throws {UsageError} when there is no such folder. */
export async function loadCampaigns(dir: string): Promise<LoadedCampaigns> {
  const ids = await campaignIds(dir);
  const loaded = await Promise.all(ids.map((id) => load(dir, id)));
  return {
    ids,
    campaigns: loaded.flatMap(({ campaign }) => (campaign ? [campaign] : [])),
    problems: loaded.flatMap(({ problems }) => problems),
  };
}

/** @throws {CampaignFileError} with every problem of its files; {UsageError} when there is no such campaign. */
export async function loadCampaign(dir: string, id: string): Promise<LoadedCampaign> {
  const ids = await campaignIds(dir);
  if (!ids.includes(id)) throw new UsageError(unknownCampaign(dir, id, ids));
  const { campaign, problems } = await load(dir, id);
  if (!campaign) throw new CampaignFileError(problems);
  return campaign;
}

/** What a run pins. */
export function snapshotOf(campaign: LoadedCampaign): CampaignSnapshot {
  return campaign;
}

async function campaignIds(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new UsageError(
      `CAMPAIGNS_DIR: the folder ${resolve(dir)} can't be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function unknownCampaign(dir: string, id: string, ids: string[]): string {
  const nearest = ids.toSorted((a, b) => leven(id, a) - leven(id, b))[0];
  const hint =
    nearest && leven(id, nearest) <= Math.max(2, id.length / 3) ? ` Did you mean "${nearest}"?` : '';
  return `There is no campaign "${id}" in ${dir}.${hint} There are: ${ids.join(', ') || 'none'}.`;
}

async function load(
  dir: string,
  id: string,
): Promise<{ campaign?: LoadedCampaign; problems: CampaignProblem[] }> {
  const baseDir = resolve(dir, id);
  const yamlPath = join(baseDir, 'campaign.yaml');
  const problems: CampaignProblem[] = [];
  const report = (file: string, message: string, line?: number, column?: number) =>
    problems.push({ campaign: id, file, message, ...(line && { line }), ...(column && { column }) });
  if (!CAMPAIGN_ID.test(id))
    report(baseDir, 'a campaign is named with letters, digits, - and _, without --, at most 100');

  const yaml = await readText(yamlPath);
  if (yaml === undefined) report(yamlPath, 'the file is missing: it describes the campaign');
  const text = await readText(join(baseDir, 'body.txt'));
  if (text === undefined)
    report(join(baseDir, 'body.txt'), "the file is missing: it is the mail's text (Liquid)");
  const html = await readText(join(baseDir, 'body.html'));
  if (yaml === undefined) return { problems };

  const { value, problems: yamlProblems, lineOf } = readYaml(yaml, CampaignSchema, KNOWN_KEYS);
  for (const { message, line, column } of yamlProblems) report(yamlPath, message, line, column);
  if (!value || text === undefined) return { problems };

  const definition = resolveDefaults(id, value);
  const body = { text, ...(html !== undefined && { html }) };
  const files = { subject: yamlPath, text: join(baseDir, 'body.txt'), html: join(baseDir, 'body.html') };
  const at = (part: keyof typeof files, line: number | undefined) =>
    part === 'subject' ? lineOf(['subject']) : line;
  const fields = await audienceFields(definition, baseDir).catch((error: unknown) => {
    if (!(error instanceof AudienceSourceError)) throw error;
    const isMissing = /ENOENT/.test(error.message);
    const file = isMissing ? yamlPath : error.file;
    const message = isMissing
      ? `audience: the file ${error.file} is missing`
      : error.message.slice(error.message.indexOf(': ') + 2);
    report(file, message, isMissing ? lineOf(['audience']) : error.line);
    return undefined;
  });
  try {
    for (const { name, part, line } of usedFields({ definition, body })) {
      if (fields && !fields.includes(name)) {
        report(
          files[part],
          `{{ ${name} }}: the audience has no such field; it has ${fields.join(', ')}`,
          at(part, line),
        );
      }
    }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    report(files[error.part], error.reason, at(error.part, error.line));
  }
  if (problems.length > 0) return { problems };
  const contentHash = hash('sha256', JSON.stringify({ definition, body }), 'hex').slice(0, 16);
  return { campaign: { id, definition, body, hash: contentHash, baseDir }, problems };
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function resolveDefaults(id: string, { list_id, ...input }: CampaignInput): Campaign {
  const domain = parseMailbox(input.from)?.address.split('@')[1] ?? 'localhost';
  return { ...input, list_id: `<${list_id ?? `${id}.${domain}`}>` };
}

/** The fields, and whether there is anybody at all. @throws {AudienceSourceError} */
async function audienceFields({ audience }: Campaign, baseDir: string): Promise<string[]> {
  const source = openAudience(audience, baseDir);
  const fields = await source.fields();
  for await (const row of source.rows()) {
    if ('recipient' in row) return fields;
  }
  const file = 'csv' in audience ? audience.csv : audience.ndjson;
  throw new AudienceSourceError(
    resolve(baseDir, file),
    undefined,
    'the audience is empty: no row has a usable address',
  );
}
