/** All campaigns: what they are, when they come next, what is wrong with their files. */
import {
  type Campaign,
  type CampaignProblem,
  formatProblem,
  isMessageTemplate,
  type LoadedCampaigns,
} from '@sendonce/shared/campaign';
import type { NextRun, SchedulePause } from '@sendonce/shared/control';
import { relative, time } from '../format.js';
import { type Html, html } from '../html.js';
import type { View } from '../layout.js';

export interface CampaignsPage extends Pick<LoadedCampaigns, 'campaigns' | 'problems'> {
  next: readonly NextRun[];
  paused: ReadonlyMap<string, SchedulePause>;
  now: number;
}

export function campaignsView({ campaigns, problems, next, paused, now }: CampaignsPage): View {
  const nextOf = (id: string) => next.find(({ campaign }) => campaign === id);
  return {
    title: 'Campaigns',
    section: 'campaigns',
    body: html`<h1>Campaigns</h1>
      <div id="problems" data-live>${problemList(problems)}</div>
      <div id="campaigns" data-live>${
        campaigns.length === 0
          ? html`<p class="empty card">There is no campaign yet. One is a folder in <code>CAMPAIGNS_DIR</code>: see campaigns/README.md.</p>`
          : html`<div class="scroll"><table><thead><tr><th>campaign</th><th>subject</th><th>schedule</th><th>next</th></tr></thead><tbody>${campaigns.map(
              ({ id, definition }) => {
                const { name, subject } = definition;
                const run = nextOf(id);
                return html`<tr><td><a href="/campaigns/${id}">${name ?? id}</a></td><td>${subject}</td><td>${describeSchedule(definition)}</td>
                  <td>${paused.has(id) ? html`<span class="status paused">paused</span>` : run ? html`${relative(run.at, now)}, ${time(run.at, run.zone)}` : '–'}</td></tr>`;
              },
            )}</tbody></table></div>`
      }</div>`,
  };
}

export function problemList(problems: readonly CampaignProblem[]): Html | '' {
  if (problems.length === 0) return '';
  return html`${problems.map((problem) => html`<p class="alert" role="alert">${formatProblem(problem)}</p>`)}`;
}

export function describeSchedule(definition: Campaign): string {
  const { schedule } = definition;
  if (isMessageTemplate(definition)) return 'single messages';
  if (!schedule) return 'by hand';
  return 'at' in schedule ? `once, ${schedule.at}` : `${schedule.cron} (${schedule.timezone})`;
}
