/**
 * From a pinned campaign and a recipient to a message: Liquid templates, compiled once a run. A field that does not exist is
 * an error, never an empty gap; an empty value is a value (`{{ first_name | default: "there" }}`).
 *
 * Beside the merge fields templates may use `campaign.id`, `campaign.name`, `run.scheduled_at` (a date) and `address`.
 */
import { Liquid, LiquidError, type Template } from 'liquidjs';
import type { CampaignSnapshot } from '../campaign/index.js';
import { LineTooLongError, toPlainText } from './plainText.js';

/** What templates know besides merge fields. */
export const BUILT_IN_NAMES = ['campaign', 'run', 'address'] as const;

/** A template takes at most this long and this much for one mail: a loop in it must not stop the worker. */
const LIMITS = { parseLimit: 1_000_000, renderLimit: 1_000, memoryLimit: 10_000_000 };

const options = { strictFilters: true, strictVariables: true, ownPropertyOnly: true, ...LIMITS };
/** Text parts are taken as they are; HTML escapes what it gets. No file system: there is nothing to include. */
const textEngine = new Liquid({ ...options, templates: {} });
const htmlEngine = new Liquid({ ...options, templates: {}, outputEscape: 'escape' });

/** Where a template is wrong. Never holds the address or a value of the recipient. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  constructor(
    readonly part: MessagePart,
    readonly line: number | undefined,
    readonly reason: string,
  ) {
    super(`${PART_FILES[part]}${line === undefined ? '' : `:${line}`}: ${reason}`);
  }
}

export type MessagePart = 'subject' | 'text' | 'html';

const PART_FILES: Record<MessagePart, string> = {
  subject: 'campaign.yaml subject',
  text: 'body.txt',
  html: 'body.html',
};

export interface Message {
  subject: string;
  text: string;
  html?: string;
}

export interface MessageTemplate {
  /** @throws {TemplateError} */
  render(recipient: { address: string; fields: Record<string, unknown> }): Message;
}

type Content = Pick<CampaignSnapshot, 'definition' | 'body'>;

/** @throws {TemplateError} when a template has a syntax error. */
export function compileMessage(
  snapshot: CampaignSnapshot,
  { scheduledAt }: { scheduledAt: Date },
): MessageTemplate {
  const parts = parseParts(snapshot);
  const campaign = { id: snapshot.id, name: snapshot.definition.name ?? snapshot.id };
  const run = { scheduled_at: scheduledAt };
  return {
    render({ address, fields }) {
      const scope = { ...fields, campaign, run, address };
      const rendered = parts.map(({ part, engine, template }) => [
        part,
        renderPart(engine, template, part, scope),
      ]);
      return Object.fromEntries(rendered) as Message;
    },
  };
}

/** The merge fields that the templates use, and where. @throws {TemplateError} */
export function usedFields(content: Content): { name: string; part: MessagePart; line: number }[] {
  return parseParts(content).flatMap(({ part, engine, template }) => {
    const { globals } = engine.analyzeSync(template, { partials: false });
    return Object.entries(globals)
      .filter(([name]) => !(BUILT_IN_NAMES as readonly string[]).includes(name))
      .map(([name, uses]) => ({ name, part, line: uses[0]?.location.row ?? 1 }));
  });
}

function parseParts({ definition, body }: Content) {
  const parts: { part: MessagePart; engine: Liquid; source: string }[] = [
    { part: 'subject', engine: textEngine, source: definition.subject },
    { part: 'text', engine: textEngine, source: body.text },
    ...(body.html === undefined ? [] : [{ part: 'html' as const, engine: htmlEngine, source: body.html }]),
  ];
  return parts.map(({ part, engine, source }) => ({
    part,
    engine,
    template: parsePart(engine, source, part),
  }));
}

function parsePart(engine: Liquid, source: string, part: MessagePart): Template[] {
  try {
    return engine.parse(source);
  } catch (error) {
    throw toTemplateError(error, part);
  }
}

function renderPart(engine: Liquid, template: Template[], part: MessagePart, scope: object): string {
  try {
    const rendered = String(engine.renderSync(template, scope));
    if (part === 'text') return toPlainText(rendered);
    // A line break in a subject would start another header.
    return part === 'subject' ? rendered.replace(/\s+/g, ' ').trim() : rendered;
  } catch (error) {
    throw toTemplateError(error, part);
  }
}

function toTemplateError(error: unknown, part: MessagePart): unknown {
  if (error instanceof LineTooLongError) return new TemplateError(part, undefined, error.message);
  if (!(error instanceof LiquidError)) return error;
  const [line] = (error as unknown as { token?: { getPosition(): number[] } }).token?.getPosition() ?? [];
  const reason = (error as { originalError?: Error }).originalError?.message ?? error.message;
  return new TemplateError(part, line, reason);
}
