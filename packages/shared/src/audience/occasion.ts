/** What an audience is asked for: a query or an address of a source may depend on when the run was due. */

export interface Occasion {
  /** Id of the campaign. */
  campaign: string;
  /** Id of the run. */
  run: string;
  /** When the run is due by its schedule, however late it is by then. */
  scheduledAt: Date;
}

/** The names by which queries (`:scheduled_at`) and URLs (`{scheduled_at}`) ask for it. */
export const OCCASION_NAMES = ['scheduled_at', 'campaign', 'run'] as const;

export type OccasionName = (typeof OCCASION_NAMES)[number];

export function isOccasionName(name: string): name is OccasionName {
  return (OCCASION_NAMES as readonly string[]).includes(name);
}

/** As text; the time as ISO 8601 in UTC. */
export function occasionValues({ campaign, run, scheduledAt }: Occasion): Record<OccasionName, string> {
  return { campaign, run, scheduled_at: scheduledAt.toISOString() };
}
