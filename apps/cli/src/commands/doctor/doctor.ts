/** `sendonce doctor`: one file a check; what it found, why that matters, and what mends it. */
import type { Command } from 'commander';
import { withContext } from '../../context.js';
import { print } from '../../output.js';
import { checkAccount } from './checkAccount.js';
import { checkAlerts } from './checkAlerts.js';
import { checkCampaigns } from './checkCampaigns.js';
import { checkClocks } from './checkClocks.js';
import { checkContinuity } from './checkContinuity.js';
import { checkEvents } from './checkEvents.js';
import { checkIdentities } from './checkIdentities.js';
import { checkLinks } from './checkLinks.js';
import { checkMemory } from './checkMemory.js';
import { checkPublicUrl } from './checkPublicUrl.js';
import { checkQuota } from './checkQuota.js';
import { checkRedis } from './checkRedis.js';
import { type Check, type Finding, runCheck } from './finding.js';

const CHECKS: Check[] = [
  checkRedis,
  checkMemory,
  checkContinuity,
  checkAccount,
  checkClocks,
  checkEvents,
  checkIdentities,
  checkAlerts,
  checkLinks,
  checkPublicUrl,
  checkCampaigns,
  checkQuota,
];

const SIGNS: Record<Finding['verdict'], string> = { ok: '✓', warning: '!', error: '✗' };

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .option('--json', 'for programs')
    .description('check Redis, SES, the public URL and the campaign files, and say what mends what is wrong')
    .addHelpText(
      'after',
      '\nEnds with 0: nothing is wrong (there may be warnings), 1: something is, 2: settings or Redis.',
    )
    .action(async ({ json }: { json?: boolean }) => {
      await withContext(async (context) => {
        const findings: Finding[] = [];
        // One after the other: SES answers about one such question a second.
        for (const check of CHECKS) findings.push(...(await runCheck(check, context)));
        if (json) print(JSON.stringify(findings, null, 2));
        else for (const finding of findings) printFinding(finding);
        if (findings.some(({ verdict }) => verdict === 'error')) process.exitCode = 1;
      });
    });
}

function printFinding({ check, verdict, detail, why, mend }: Finding): void {
  print(`${SIGNS[verdict]} ${check}: ${detail}`);
  if (verdict === 'ok') return;
  print(`    ${why}`);
  if (mend) print(`    → ${mend}`);
}
