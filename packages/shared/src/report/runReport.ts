/** What came of a run: its numbers, what became of the mails, and who clicked what and when. */
import { type ClickCounts, type ClickRow, type Clicks, clicksBy } from '../links/index.js';
import { NUMBER_NAMES, RUN_OUTCOME_NAMES, type RunRecord, type Runs } from '../run/index.js';

export interface RunReport {
  run: RunRecord;
  clicks: ClickCounts & {
    /** Different people. */
    unique: number;
    /** People for each mail that arrived, 0 to 1; where SES's events are not known, for each that was sent. */
    rate: number;
    rows: ClickRow[];
    byLink: ClickRow[];
    byHour: ClickRow[];
  };
}

/** @throws {UnknownRunError} */
export async function runReport(
  { runs, clicks }: { runs: Runs; clicks: Clicks },
  id: string,
): Promise<RunReport> {
  const run = await runs.get(id);
  const { rows, human, scanner, unique } = await clicks.read(id);
  const arrived = run.outcomes.delivered || run.numbers.sent;
  const byLink = clicksBy('link', rows).sort((a, b) => b.human - a.human);
  return {
    run,
    clicks: {
      human,
      scanner,
      unique,
      rate: arrived > 0 ? Math.min(1, unique / arrived) : 0,
      rows,
      byLink,
      byHour: clicksBy('hour', rows),
    },
  };
}

/** For programs: snake case, ISO times, `null` for links that were not sent and hours that are not told apart. */
export function reportAsJson({ run, clicks }: RunReport): Record<string, unknown> {
  const counts = ({ human, scanner }: ClickCounts) => ({ human, scanner });
  return {
    run: run.id,
    campaign: run.campaign,
    status: run.status,
    scheduled_at: run.scheduledAt.toISOString(),
    finished_at: run.finishedAt?.toISOString() ?? null,
    ...numbersOf(run),
    clicks: {
      ...counts(clicks),
      unique: clicks.unique,
      rate: clicks.rate,
      by_link: clicks.byLink.map((row) => ({ link: row.link ?? null, ...counts(row) })),
      by_hour: clicks.byHour.map((row) => ({ hour: row.hour?.toISOString() ?? null, ...counts(row) })),
    },
  };
}

export interface ReportRow {
  measure: string;
  link: string;
  hour: string;
  value: number;
}

/** For spreadsheets: one value a row, clicks by link and hour. */
export function reportAsRows({ run, clicks }: RunReport): ReportRow[] {
  const single = (measure: string, value: number): ReportRow => ({ measure, link: '', hour: '', value });
  return [
    ...Object.entries(numbersOf(run)).map(([name, value]) => single(name, value)),
    single('unique_clicks', clicks.unique),
    ...(['human', 'scanner'] as const).flatMap((kind) =>
      clicks.rows
        .filter((row) => row[kind] > 0)
        .map((row) => ({
          measure: `${kind}_clicks`,
          link: row.link ?? 'other',
          hour: row.hour?.toISOString() ?? 'later',
          value: row[kind],
        })),
    ),
  ];
}

function numbersOf(run: RunRecord): Record<string, number> {
  return {
    ...Object.fromEntries(NUMBER_NAMES.map((name) => [name, run.numbers[name]])),
    ...Object.fromEntries(RUN_OUTCOME_NAMES.map((name) => [name, run.outcomes[name]])),
  };
}
