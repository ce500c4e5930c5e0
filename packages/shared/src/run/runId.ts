/**
 * A run's id: the campaign and the *scheduled* time, `daily-notification--20261124T100000Z`. Whoever fires it, and however
 * late, the id is the same. Letters, digits, `-` and `_` only: it is a BullMQ job id, an SES tag, a file name and a part
 * of URLs.
 */
export function runIdOf(campaign: string, scheduledAt: Date): string {
  const stamp = scheduledAt
    .toISOString()
    .replace(/\.\d{3}Z$/, 'Z')
    .replace(/[-:]/g, '');
  return `${campaign}--${stamp}`;
}

/** The parts of a run's id; undefined when the text is none. */
export function parseRunId(text: string): { campaign: string; scheduledAt: Date } | undefined {
  const match = /^([A-Za-z0-9_-]+?)--(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, campaign = '', year, month, day, hour, minute, second] = match;
  const scheduledAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(scheduledAt.getTime()) ? undefined : { campaign, scheduledAt };
}
