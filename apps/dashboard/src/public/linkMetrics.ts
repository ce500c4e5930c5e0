/** Visits of links in mails, as numbers of the process: by what became of them, never by campaign, link or visitor. */
import type { ProcessMetrics } from '@sendonce/shared/observe';

export class LinkMetrics {
  readonly #visits;
  readonly #clicks;

  constructor(metrics: ProcessMetrics) {
    this.#visits = metrics.counter(
      'sendonce_link_visits_total',
      'Visits of links in mails: redirect by us, page: told by the static page, dead_end: leads nowhere.',
      ['kind'],
    );
    this.#clicks = metrics.counter(
      'sendonce_clicks_total',
      'Clicks that were counted for reports, and those that were lost because Redis did not answer.',
      ['result'],
    );
    // What never happened is a 0, not a gap.
    for (const kind of ['redirect', 'page', 'dead_end']) this.#visits.inc({ kind }, 0);
    for (const result of ['counted', 'lost']) this.#clicks.inc({ result }, 0);
  }

  visit(kind: 'redirect' | 'page' | 'dead_end'): void {
    this.#visits.inc({ kind });
  }

  click(result: 'counted' | 'lost'): void {
    this.#clicks.inc({ result });
  }
}
