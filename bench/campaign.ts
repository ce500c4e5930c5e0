/** The mail that everybody sends: 2 kB of text with two fields, 60 bytes of merge data a recipient. */
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const PARAGRAPH =
  'This month there is a good deal to tell: what was promised in spring is done, and what comes next is on its way. Whoever wants to know more finds it on the pages below, where everything is explained at length.\n';
const BODY = `Hello {{ name }},\n\n${PARAGRAPH.repeat(8)}\nYour city is {{ city }}.\n`;

export const subjectOf = (name: string): string => `News for ${name}`;
export const mailText = (name: string): string =>
  BODY.replace('{{ name }}', name).replace('{{ city }}', 'Springfield upon the River');

/** @returns the folder of campaigns; its audience is written as a stream. */
export async function writeCampaign(recipients: number): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-bench-'));
  const folder = join(dir, 'news');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'campaign.yaml'),
    'from: Dif <updates@dif.io>\nsubject: News for {{ name }}\nunsubscribe: false\naudience:\n  csv: recipients.csv\n',
  );
  writeFileSync(join(folder, 'body.txt'), BODY);
  await pipeline(Readable.from(rows(recipients)), createWriteStream(join(folder, 'recipients.csv')));
  return dir;
}

function* rows(recipients: number): Generator<string> {
  yield 'email,name,city\n';
  for (let index = 0; index < recipients; index++) {
    // 60 characters that no compression finds anything in; names of people and cities take less.
    const merged = createHash('sha384').update(String(index)).digest('base64url').slice(0, 60);
    yield `reader${index}@example.com,${merged.slice(0, 20)},${merged.slice(20)}\n`;
  }
}
