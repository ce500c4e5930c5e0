type Verdict = 'ok' | 'warning' | 'error';

/** What was checked, what came out, and for anything but `ok`: what mends it. */
export interface Finding {
  check: string;
  verdict: Verdict;
  detail: string;
  mend?: string;
}
