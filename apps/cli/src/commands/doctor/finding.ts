import { messageOf } from '@sendonce/shared/runtime';
import type { Context } from '../../context.js';

type Verdict = 'ok' | 'warning' | 'error';

/** What was looked at and what came out; for anything but `ok`, what mends it. */
export interface Observation {
  check: string;
  verdict: Verdict;
  detail: string;
  mend?: string;
}

/** With the reason why it matters, which is the same whatever comes out. */
export interface Finding extends Observation {
  why: string;
}

/** One file a check. */
export interface Check {
  /** What it is about, for when it can't even look. */
  subject: string;
  why: string;
  look(context: Context): Promise<Observation[]>;
}

/** A check that breaks is a finding, and keeps no other from looking. */
export async function runCheck({ subject, why, look }: Check, context: Context): Promise<Finding[]> {
  const observations = await look(context).catch((error: unknown): Observation[] => [
    { check: subject, verdict: 'error', detail: `could not be looked at: ${messageOf(error)}` },
  ]);
  return observations.map((observation) => ({ ...observation, why }));
}

/** A permission is missing: what it would have told is not known, which is no fault by itself. */
export function notAllowed(check: string, error: unknown, permission: string): Observation {
  return {
    check,
    verdict: 'warning',
    detail: `could not be looked at: ${messageOf(error)}`,
    mend: `Allow ${permission}, as the policy in deploy/aws/sendonce.yaml does.`,
  };
}
