/**
 * Whether PUBLIC_URL leads here, and what becomes of a request on the way: proxies cut queries, decode paths, send POSTs
 * elsewhere, and forget the host. The public app tells what has arrived, signed with the secret of the links, so that neither
 * another server nor another installation passes for it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const PROBE_PATH = '/probe';

/** What has arrived. */
export interface ProbeSeen {
  /** Path and query, as they came over the wire. */
  url: string;
  host: string;
  body: string;
}

export interface ProbeAnswer {
  seen: ProbeSeen;
  signature: string;
}

export function answerProbe(secret: string, seen: ProbeSeen): ProbeAnswer {
  return { seen, signature: sign(secret, seen) };
}

/** @param secrets all that links may be made with. */
export function isGenuineProbe(secrets: readonly string[], { seen, signature }: ProbeAnswer): boolean {
  const given = Buffer.from(signature);
  return secrets.some((secret) => {
    const expected = Buffer.from(sign(secret, seen));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}

/** Under a name of its own, so that no answer can be taken for the signature of a link. */
function sign(secret: string, { url, host, body }: ProbeSeen): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['sendonce-probe', url, host, body]))
    .digest('base64url');
}
