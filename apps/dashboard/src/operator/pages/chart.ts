/** A chart as data that the page's script draws with uPlot; the same numbers stand in a table beneath, for everybody. */
import { count, time } from '../format.js';
import { type Html, html } from '../html.js';

/** Rows of the table. */
const ROWS = 60;

export interface Chart {
  title: string;
  x: readonly Date[];
  series: readonly { label: string; color: 'link' | 'good' | 'bad' | 'warn'; values: readonly number[] }[];
  bars?: boolean;
  /** px */
  height?: number;
}

export function chart({ title, x, series, bars = false, height = 220 }: Chart): Html {
  const data = { x: x.map((at) => Math.round(at.getTime() / 1_000)), series, bars };
  const id = `numbers-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return html`<figure class="chart card" data-chart="${JSON.stringify(data)}" data-height="${height}">
    <figcaption>${title}</figcaption><div class="plot" aria-hidden="true"></div>
    <details id="${id}"><summary>Numbers</summary><div class="scroll"><table><thead><tr><th>time</th>${series.map(({ label }) => html`<th class="n">${label}</th>`)}</tr></thead>
      <tbody>${x
        .map(
          (at, index) =>
            html`<tr><td>${time(at)}</td>${series.map(({ values }) => html`<td class="n">${count(values[index] ?? 0)}</td>`)}</tr>`,
        )
        .slice(-ROWS)}</tbody></table></div></details></figure>`;
}
