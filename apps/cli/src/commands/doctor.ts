import { loadCampaigns } from '@sendonce/shared/campaign';
import { messageOf, type Settings } from '@sendonce/shared/runtime';
import { SesClient } from '@sendonce/shared/ses';
import type { Command } from 'commander';
import { type Context, withContext } from '../context.js';
import { print } from '../output.js';

type Verdict = 'ok' | 'warning' | 'error';

/** What was checked, what came out, and for anything but `ok`: what mends it. */
interface Finding {
  check: string;
  verdict: Verdict;
  detail: string;
  mend?: string;
}

const SIGNS: Record<Verdict, string> = { ok: '✓', warning: '!', error: '✗' };

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
async function checkRedis({ redis }: Context): Promise<Finding[]> {
  const info = parseInfo(await redis.info());
  const config = async (name: string) => ((await redis.config('GET', name)) as string[])[1] ?? '';
  const [appendonly, appendfsync, policy] = await Promise.all(
    ['appendonly', 'appendfsync', 'maxmemory-policy'].map(config),
  );
  const isDurable = appendonly === 'yes' && appendfsync === 'always';
  return [
    {
      check: 'Redis',
      verdict: 'ok',
      detail: `${info.valkey_version ? `Valkey ${info.valkey_version}` : `version ${info.redis_version}`} answers`,
    },
    {
      check: 'Redis persistence',
      verdict: isDurable ? 'ok' : 'error',
      detail: `appendonly ${appendonly}, appendfsync ${appendfsync}${isDurable ? ': a claim is on disk before SES hears of it' : ': a crash can lose claims, and those mails go out twice'}`,
      mend: 'redis-cli CONFIG SET appendonly yes; redis-cli CONFIG SET appendfsync always; redis-cli CONFIG REWRITE',
    },
    {
      check: 'Redis eviction',
      verdict: policy === 'noeviction' ? 'ok' : 'error',
      detail: `maxmemory-policy ${policy}${policy === 'noeviction' ? '' : ': Redis may throw the ledger away when memory gets short'}`,
      mend: 'redis-cli CONFIG SET maxmemory-policy noeviction; redis-cli CONFIG REWRITE',
    },
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
