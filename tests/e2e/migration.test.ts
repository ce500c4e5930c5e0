/** The manuals for those who come from elsewhere: their commands work, and say what stands there. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { System } from './system.js';

const CLI = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'sendonce-migration-'));

let system: System;
beforeAll(async () => {
  system = await System.start({ campaignsDir: join(root, 'campaigns') });
});
afterAll(() => system.stop());

function write(name: string, content: string): void {
  mkdirSync(join(root, dirname(name)), { recursive: true });
  writeFileSync(join(root, name), content);
}

function blocksOf(manual: string): { kind: string; text: string }[] {
  const text = readFileSync(new URL(`../../docs/${manual}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```(\w+)\n([\s\S]+?)```/g)].map(([, kind = '', block = '']) => ({
    kind,
    text: block,
  }));
}

/** Runs a block line by line, in the folder of the campaigns. @returns what the last line printed. */
async function run(block: string): Promise<string> {
  let out = '';
  for (const line of block.trim().split('\n')) {
    const args = line.replace(/^npm run sendonce -- /, '').split(' ');
    ({ stdout: out } = await promisify(execFile)(process.execPath, [CLI, ...args], {
      cwd: root,
      env: system.env,
    }));
  }
  return out;
}

it('those of listmonk and of Mailchimp', async () => {
  const header = 'uuid,email,name,attributes,status,created_at,updated_at\n';
  write(
    'subscribers.csv',
    `${header}1,jane@example.com,Jane,{},enabled,x,x\n2,joe@example.com,Joe,{},enabled,x,x\n3,off@example.com,Off,{},disabled,x,x\n4,no@example.com,No,{},blocklisted,x,x\n5,left@example.com,Left,{},enabled,x,x\n`,
  );
  write('unsubscribed.csv', `${header}5,left@example.com,Left,{},enabled,x,x\n`);
  write('mailchimp-export/subscribed_email_audience_export_1.csv', '"Email Address"\njane@example.com\n');
  write('mailchimp-export/unsubscribed_email_audience_export_1.csv', '"Email Address"\nx@example.com\n');
  write('mailchimp-export/cleaned_email_audience_export_1.csv', '"Email Address"\ny@example.com\n');
  for (const id of ['news', 'shop']) {
    write(
      `campaigns/${id}/campaign.yaml`,
      'from: a@example.com\nsubject: x\naudience: { ndjson: people.ndjson }\n',
    );
    write(`campaigns/${id}/body.txt`, 'Hi');
  }
  const blocks = blocksOf('from-listmonk.md');
  for (const [index, { kind, text }] of blocks.entries())
    if (kind === 'sh') expect(await run(text)).toBe(blocks[index + 1]?.text);
  // The first line of each again: nobody is suppressed twice.
  const again = await run(blocks[0]?.text ?? '');
  expect(again).toContain('Suppression list: 0 added, 2 were there already.');
  expect((await system.sendonce('validate')).out).toContain('2 campaigns are valid: news, shop');
});

it('those of a Celery task', async () => {
  const blocks = blocksOf('from-celery.md');
  const first = (kind: string) => blocks.find((block) => block.kind === kind)?.text ?? '';
  write('campaigns/monthly/campaign.yaml', first('yaml'));
  write('campaigns/monthly/body.txt', first('liquid'));
  write('campaigns/monthly/users.ndjson', first('json'));
  expect(await run(first('sh'))).toContain('monthly--20261201T080000Z');
  const preview = await system.sendonce('preview', 'monthly');
  expect(preview.out).toContain('Hello Jane,\n\n* Books: 12.00\n\nLeave: ');
});
