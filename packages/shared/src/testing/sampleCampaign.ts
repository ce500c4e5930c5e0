import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CampaignSnapshot, loadCampaign, snapshotOf } from '../campaign/index.js';

/** Files of a campaign; what is not given is a valid default. `null` leaves the file out. */
export interface SampleCampaign {
  id?: string;
  /** Lines of campaign.yaml after from, subject and audience. */
  settings?: string;
  yaml?: string | null;
  body?: string | null;
  html?: string;
  csv?: string | null;
  /** sample.json, of a template of single messages. */
  sample?: string;
}

const YAML =
  'from: Dif <updates@dif.io>\nsubject: News for {{ first_name }}\naudience:\n  csv: recipients.csv\n';

/** The campaign.yaml of a template of single messages. */
export const MESSAGE_YAML =
  'from: Dif <updates@dif.io>\nsubject: News for {{ first_name }}\naudience: messages\nunsubscribe: no\n';

/** Writes campaigns into a folder of their own, and returns it. */
export function makeCampaignDir(...campaigns: SampleCampaign[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-campaigns-'));
  for (const campaign of campaigns) writeCampaign(dir, campaign);
  return dir;
}

function writeCampaign(
  dir: string,
  { id = 'news', settings = '', yaml, body, html, csv, sample }: SampleCampaign,
): void {
  const folder = join(dir, id);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string | null | undefined): void => {
    if (content !== null && content !== undefined) writeFileSync(join(folder, name), content);
  };
  write('campaign.yaml', yaml === undefined ? `${YAML}${settings}` : yaml);
  write('body.txt', body === undefined ? 'Hi {{ first_name }},\nnews.\n' : body);
  write('body.html', html);
  write('sample.json', sample);
  write('recipients.csv', csv === undefined ? makeCsv(3) : csv);
}

export function makeCsv(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => `reader${index}@example.com,Reader ${index}`);
  return `${['email,first_name', ...rows].join('\n')}\n`;
}

/** A campaign that is loaded and ready to be pinned. @param recipients how many there are, unless `csv` is given. */
export async function makeSnapshot(
  recipients: number,
  campaign: SampleCampaign = {},
): Promise<CampaignSnapshot> {
  const dir = makeCampaignDir({ csv: makeCsv(recipients), ...campaign });
  return snapshotOf(await loadCampaign(dir, campaign.id ?? 'news'));
}
