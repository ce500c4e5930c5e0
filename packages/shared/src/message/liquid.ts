/** Liquid as our templates have it: strict, without a file system, bounded in time and memory. */
import { Liquid, type LiquidError } from 'liquidjs';
import type { Campaign, CampaignBody } from '../campaign/index.js';
import { DIRECT_MARK } from '../links/linkRewriter.js';

export type MessagePart = 'subject' | 'text' | 'html';

/** What templates are made of. */
export interface Content {
  definition: Pick<Campaign, 'subject' | 'audience' | 'schedule'> & Partial<Pick<Campaign, 'unsubscribe'>>;
  body: CampaignBody;
}

/**
 * A template takes at most this much: characters when it is parsed; ms, and objects, for one mail. A loop in it must not
 * stop the worker.
 */
const LIMITS = { parseLimit: 1_000_000, renderLimit: 1_000, memoryLimit: 10_000_000 };

/** Tags that would read other files; there are none. */
const FILE_TAGS = ['include', 'render', 'layout', 'block'];

export interface PartSource {
  part: MessagePart;
  source: string;
  /** Text is taken as it is; HTML escapes what it gets, unless a template says `| raw`. */
  isHtml: boolean;
}

export function partsOf({ definition, body }: Content): PartSource[] {
  return [
    { part: 'subject', source: definition.subject, isHtml: false },
    { part: 'text', source: body.text, isHtml: false },
    ...(body.html === undefined ? [] : [{ part: 'html' as const, source: body.html, isHtml: true }]),
  ];
}

/** @param timezone in which the `date` filter shows times: the schedule's, else UTC, never the worker's. */
export function makeEngine({
  isHtml,
  timezone,
  catchAllErrors = false,
}: {
  isHtml: boolean;
  timezone: string;
  /** Syntax errors come all at once, as `LiquidErrors`. */
  catchAllErrors?: boolean;
}): Liquid {
  const engine = new Liquid({
    ...LIMITS,
    strictFilters: true,
    strictVariables: true,
    ownPropertyOnly: true,
    templates: {},
    catchAllErrors,
    timezoneOffset: timezone,
    locale: 'en-US',
    ...(isHtml && { outputEscape: 'escape' }),
  });
  for (const tag of FILE_TAGS) delete engine.tags[tag];
  // A day (`2026-11-24`, from a column of type date) is the same in every zone; as a time it would be UTC's midnight.
  const date = engine.filters.date as (this: unknown, ...given: unknown[]) => unknown;
  engine.registerFilter('date', function (value, format, zone) {
    const isDay = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value);
    return date.call(this, value, format, zone ?? (isDay ? 'UTC' : undefined));
  });
  // `{{ "https://www.example.com/" | direct }}`: a link that stays as it is.
  engine.registerFilter('direct', (link) => `${DIRECT_MARK}${link}`);
  return engine;
}

export function timezoneOf({ schedule }: Content['definition']): string {
  return schedule && 'cron' in schedule ? schedule.timezone : 'UTC';
}

/** A place in a template, from 1. */
export interface TemplatePlace {
  line: number;
  column: number;
}

/** Where an error of Liquid's is, and what it says without the place. */
export function explainLiquidError(error: LiquidError): { place?: TemplatePlace; reason: string } {
  const [line, column] = tokenOf(error)?.getPosition() ?? [];
  const reason = error.message.replace(/, line:\d+, col:\d+$/, '');
  return { ...(line && column && { place: { line, column } }), reason };
}

/** liquidjs hides the token in its types. */
function tokenOf(error: LiquidError): { getPosition(): number[] } | undefined {
  return (error as unknown as { token?: { getPosition(): number[] } }).token;
}
