import { loadCampaigns } from '@sendonce/shared/campaign';
import { readDurability } from '@sendonce/shared/ledger';
import { systemClock as clock, messageOf, type Settings } from '@sendonce/shared/runtime';
import { assertClocksAgree, readClockSkew, SesClient } from '@sendonce/shared/ses';
import type { Command } from 'commander';
import { type Context, withContext } from '../../context.js';
import { print } from '../../output.js';
import { checkEvents, checkIdentities, checkLinks } from './checkEvents.js';
import type { Finding } from './finding.js';

const SIGNS: Record<Finding['verdict'], string> = { ok: '✓', warning: '!', error: '✗' };

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .option('--json', 'for programs')
    .description('check Redis, SES and the campaign files, and say what mends what is wrong')
    .action(async ({ json }: { json?: boolean }) => {
      await withContext(async (context) => {
        const findings = [
          ...(await checkRedis(context)),
          ...(await checkSes(context.settings)),
          await checkClocks(context),
          ...(await checkEvents(context)),
          ...(await checkIdentities(context)),
          checkLinks(context),
          ...(await checkCampaigns(context.settings)),
        ];
        if (json) print(JSON.stringify(findings, null, 2));
        else for (const finding of findings) printFinding(finding);
        if (findings.some(({ verdict }) => verdict === 'error')) process.exitCode = 1;
      });
    });
}

function printFinding({ check, verdict, detail, mend }: Finding): void {
  print(`${SIGNS[verdict]} ${check}: ${detail}`);
  if (mend && verdict !== 'ok') print(`    → ${mend}`);
}

/** Redis is the ledger: what it loses, nobody remembers. */
async function checkRedis({ redis, settings }: Context): Promise<Finding[]> {
  const info = parseInfo(await redis.info());
  const { detail, mend } = await readDurability(redis, settings.redis.minReplicas);
  return [
    {
      check: 'Redis',
      verdict: 'ok',
      detail: `${info.valkey_version ? `Valkey ${info.valkey_version}` : `version ${info.redis_version}`} answers`,
    },
    { check: 'Redis durability', verdict: mend ? 'error' : 'ok', detail, ...(mend && { mend }) },
  ];
}

async function checkSes({ ses: settings }: Settings): Promise<Finding[]> {
  const ses = new SesClient(settings);
  const where = settings.endpoint ?? `Amazon SES in ${settings.region}`;
  try {
    const { SendQuota = {}, SendingEnabled, ProductionAccessEnabled } = await ses.account();
    const { Max24HourSend = 0, MaxSendRate = 0, SentLast24Hours = 0 } = SendQuota;
    const quota =
      Max24HourSend < 0 ? 'no daily limit' : `${SentLast24Hours} of ${Max24HourSend} used in 24 hours`;
    return [
      {
        check: 'SES',
        verdict: 'ok',
        detail: `${where} answers; ${MaxSendRate} recipients a second, ${quota}`,
      },
      {
        check: 'SES sending',
        verdict: SendingEnabled ? 'ok' : 'error',
        detail: SendingEnabled ? 'enabled' : 'paused for this account',
        mend: 'See the account dashboard of the SES console: it says why, and how to ask for a review.',
      },
      {
        check: 'SES sandbox',
        verdict: ProductionAccessEnabled ? 'ok' : 'warning',
        detail: ProductionAccessEnabled
          ? 'the account has production access'
          : 'in the sandbox: only verified recipients, 200 a day, 1 a second',
        mend: 'aws sesv2 put-account-details --production-access-enabled …, or "Request production access" in the SES console',
      },
    ];
  } catch (error) {
    const mend =
      'Check AWS_REGION, the credentials (AWS_ACCESS_KEY_ID or a role) and that they allow ses:GetAccount.';
    return [{ check: 'SES', verdict: 'error', detail: `${where}: ${messageOf(error)}`, mend }];
  } finally {
    ses.close();
  }
}

async function checkClocks({ redis, settings }: Context): Promise<Finding> {
  const check = 'Clocks';
  const ses = new SesClient(settings.ses);
  try {
    const skew = await readClockSkew({ redis, ses, clock });
    assertClocksAgree(skew);
    const seconds = (ms: number | undefined): string =>
      ms === undefined ? 'unknown' : `${(ms / 1_000).toFixed(1)} s`;
    return {
      check,
      verdict: 'ok',
      detail: `Redis is off by ${seconds(skew.redisMs)}, SES by ${seconds(skew.sesMs)}`,
    };
  } catch (error) {
    return {
      check,
      verdict: 'error',
      detail: messageOf(error),
      mend: 'timedatectl set-ntp true, on every machine',
    };
  } finally {
    ses.close();
  }
}

async function checkCampaigns({ campaignsDir }: Settings): Promise<Finding[]> {
  const { campaigns, problems } = await loadCampaigns(campaignsDir);
  const detail =
    problems.length === 0
      ? `${campaigns.length} valid in ${campaignsDir}`
      : `${problems.length} problems in ${campaignsDir}`;
  return [
    {
      check: 'Campaign files',
      verdict: problems.length === 0 ? 'ok' : 'error',
      detail,
      mend: 'npm run sendonce -- validate',
    },
  ];
}

function parseInfo(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\r\n')
      .flatMap((line) => (line.includes(':') ? [line.split(':', 2) as [string, string]] : [])),
  );
}
