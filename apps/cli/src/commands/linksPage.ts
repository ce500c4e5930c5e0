import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCampaign } from '@sendonce/shared/campaign';
import { linkPageOf, linksPage, readCleanUrlScript } from '@sendonce/shared/links';
import { readCampaignsDir, UsageError } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { print, remark } from '../output.js';

export function addLinksPageCommand(program: Command): void {
  program
    .command('links-page')
    .argument('<campaign>')
    .requiredOption('--out <dir>', 'folder for the files')
    .option('--beacon <url>', 'where the page tells of visits: PUBLIC_URL and the prefix; default: nowhere')
    .description("write the page that a campaign's links lead through, for a static host")
    .action(async (id: string, { out, beacon }: { out: string; beacon?: string }) => {
      const { definition } = await loadCampaign(readCampaignsDir(), id);
      if (!definition.links)
        throw new UsageError(`${id} has no "links" in its campaign.yaml. docs/links.md shows what to write.`);
      const page = linkPageOf(id, definition.links);
      if (beacon) assertBeacon(beacon, page.prefix);
      await mkdir(out, { recursive: true });
      await writeFile(join(out, 'index.html'), linksPage(page, beacon ? { beacon } : {}));
      await writeFile(join(out, 'clean-url.js'), readCleanUrlScript());
      print(join(out, 'index.html'));
      print(join(out, 'clean-url.js'));
      remark(`Serve the folder at ${page.origins.map((origin) => origin + page.prefix).join(' and ')}`);
      if (!beacon) remark('Visits are not counted by us; --beacon does that.');
    });
}

function assertBeacon(beacon: string, prefix: string): void {
  const url = URL.canParse(beacon) ? new URL(beacon) : undefined;
  const isOurs =
    url && /^https?:$/.test(url.protocol) && url.pathname.endsWith(prefix) && !url.search && !url.hash;
  if (!isOurs)
    throw new UsageError(
      `--beacon: expected the public address with the prefix, as https://mail.example.com${prefix}`,
    );
}
