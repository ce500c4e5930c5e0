/**
 * Asks PUBLIC_URL itself, as a mail program would: a POST with a long query and characters that proxies like to touch. The
 * dashboard answers with what has arrived, signed.
 */
import { randomUUID } from 'node:crypto';
import { isGenuineProbe, PROBE_PATH, type ProbeAnswer, readLinkSecrets } from '@sendonce/shared/links';
import { messageOf } from '@sendonce/shared/runtime';
import type { Context } from '../../context.js';
import type { Check, Observation } from './finding.js';

const TIMEOUT_MS = 10_000;
/** A token in a link has up to 520 characters. */
const TOKEN_LENGTH = 520;
const BODY = 'List-Unsubscribe=One-Click';
const CHECK = 'Public URL';

export const checkPublicUrl: Check = {
  subject: CHECK,
  why: "Recipients unsubscribe there, links lead through it, and SES's events come to it.",
  look: async (context) => {
    const { settings } = context;
    const problem = await findProblem(context);
    // On one's own machine the dashboard is often not up.
    const verdict = settings.ses.isLocal ? 'warning' : 'error';
    return [
      problem
        ? { check: CHECK, verdict, ...problem }
        : {
            check: CHECK,
            verdict: 'ok',
            detail: `${settings.public.url} leads here, and nothing is lost on the way`,
          },
    ];
  },
};

async function findProblem({
  redis,
  settings,
}: Context): Promise<Pick<Observation, 'detail' | 'mend'> | undefined> {
  const { url } = settings.public;
  const query = `?nonce=${randomUUID()}&path=%2Fa%20b%2F&plus=a+b&token=${'x'.repeat(TOKEN_LENGTH)}`;
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/$/, '')}${PROBE_PATH}${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: BODY,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const { cause } = error as Error;
    return {
      detail: `${url} can't be reached: ${messageOf(cause instanceof Error ? cause : error)}`,
      mend: 'npm run dashboard, and a proxy that leads PUBLIC_URL to PUBLIC_HOST:PUBLIC_PORT',
    };
  }
  if (response.status >= 300 && response.status < 400)
    return {
      detail: `${url} redirects to ${response.headers.get('location')}, and mail programs don't follow with a POST`,
      mend: 'Set PUBLIC_URL to where it redirects to.',
    };
  const answer = (await response.json().catch(() => undefined)) as ProbeAnswer | undefined;
  if (!response.ok || typeof answer?.signature !== 'string' || !answer.seen)
    return {
      detail: `${url} answers ${response.status}, and it is not this dashboard that does`,
      mend: 'Lead PUBLIC_URL, with all its paths and methods, to PUBLIC_HOST:PUBLIC_PORT.',
    };
  const secrets = await readLinkSecrets({ redis, prefix: settings.redis.prefix }, settings.public);
  if (!isGenuineProbe(secrets, answer))
    return {
      detail: `${url} is answered by a Sendonce with another LINK_SECRET: links of mails would be refused`,
      mend: 'Give all processes the same LINK_SECRET, and the same Redis.',
    };
  return findLoss(url, query, answer);
}

function findLoss(
  url: string,
  query: string,
  { seen }: ProbeAnswer,
): Pick<Observation, 'detail' | 'mend'> | undefined {
  const losses = [
    // A proxy may take the path of PUBLIC_URL away; whatever comes after it has to arrive as it is.
    ...(seen.url.endsWith(`${PROBE_PATH}${query}`) ? [] : ['the query does not arrive as it was sent']),
    ...(seen.body === BODY ? [] : ['the body of a POST does not arrive']),
    ...(seen.host === new URL(url).host ? [] : [`the host arrives as ${seen.host}`]),
  ];
  if (losses.length === 0) return undefined;
  return {
    detail: `on the way to ${url} ${losses.join(', ')}`,
    mend: 'Let the proxy pass path, query and body as they are, and the host as Host or X-Forwarded-Host.',
  };
}
