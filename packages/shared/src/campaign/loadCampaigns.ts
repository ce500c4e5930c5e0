/** The folder of the campaigns: one folder a campaign, its name is the id. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, UsageError } from '../runtime/index.js';
import { type CampaignSnapshot, type LoadOptions, readCampaignFolder } from './campaignFolder.js';
import { CampaignFileError, type CampaignProblem } from './campaignProblem.js';
import { nearestName } from './didYouMean.js';

export type LoadedCampaign = CampaignSnapshot;

export class UnknownCampaignError extends UsageError {
  override readonly name = 'UnknownCampaignError';
}

export interface LoadedCampaigns {
  campaigns: LoadedCampaign[];
  problems: CampaignProblem[];
  /** Every campaign's folder, the broken ones too. */
  ids: string[];
}

/** All campaigns of a folder, and every problem of every file. @throws {UsageError} when there is no such folder. */
export async function loadCampaigns(dir: string, options: LoadOptions = {}): Promise<LoadedCampaigns> {
  const ids = await campaignIds(dir);
  const folders = await Promise.all(ids.map((id) => readCampaignFolder(id, resolve(dir, id), options)));
  const campaigns = folders.flatMap(({ campaign }) => campaign ?? []);
  const clashes = findSharedPrefixes(campaigns);
  return {
    ids,
    campaigns: campaigns.filter(({ id }) => !clashes.some(({ campaign }) => campaign === id)),
    problems: [...folders.flatMap(({ problems }) => problems), ...clashes],
  };
}

/** Clicks are counted under the campaign that has the prefix, so it can have one only: the first. */
function findSharedPrefixes(campaigns: readonly LoadedCampaign[]): CampaignProblem[] {
  const owners = new Map<string, string>();
  return campaigns.flatMap(({ id, baseDir, definition }) => {
    const prefix = definition.links?.prefix;
    const owner = prefix && owners.get(prefix);
    if (prefix && !owner) owners.set(prefix, id);
    if (!owner) return [];
    const message = `links.prefix: ${prefix} belongs to the campaign ${owner}`;
    return [{ campaign: id, file: join(baseDir, 'campaign.yaml'), message, expected: 'a prefix of its own' }];
  });
}

/** @throws {CampaignFileError} with every problem of its files; {UnknownCampaignError} */
export async function loadCampaign(dir: string, id: string): Promise<LoadedCampaign> {
  const ids = await campaignIds(dir);
  if (!ids.includes(id)) {
    const known = ids.length > 0 ? `There are: ${ids.join(', ')}.` : 'There is none.';
    const nearest = nearestName(id, ids);
    const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
    throw new UnknownCampaignError(`There is no campaign "${id}" in ${dir}.${hint} ${known}`);
  }
  const { campaign, problems } = await readCampaignFolder(id, resolve(dir, id));
  if (!campaign) throw new CampaignFileError(problems);
  return campaign;
}

/** What a run pins: a copy, which changes with nothing. */
export function snapshotOf(campaign: LoadedCampaign): CampaignSnapshot {
  return structuredClone(campaign);
}

async function campaignIds(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new UsageError(`CAMPAIGNS_DIR: the folder ${resolve(dir)} can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
