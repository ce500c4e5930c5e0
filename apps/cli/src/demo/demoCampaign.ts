/** The sample campaign, due in a few seconds: a copy, so that the files in the repo stay as they are. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';

export const DEMO_CAMPAIGN = 'daily-notification';

/** @returns when it is due; to the second, as a run's id is. */
export function prepareCampaign(sourceDir: string, targetDir: string, inMs: number): Date {
  const at = new Date(Math.ceil((Date.now() + inMs) / 1_000) * 1_000);
  const target = join(targetDir, DEMO_CAMPAIGN);
  rmSync(targetDir, { recursive: true, force: true });
  cpSync(join(sourceDir, DEMO_CAMPAIGN), target, { recursive: true });
  const file = join(target, 'campaign.yaml');
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.set('schedule', { at: at.toISOString() });
  writeFileSync(file, document.toString());
  return at;
}
