/**
 * Templates of single messages, as their files are now, compiled; and whether a message fits one. What can't be rendered is
 * refused before it is accepted: afterwards there is nobody to tell.
 */
import { hash } from 'node:crypto';
import { fieldNameProblem, parseRecipientAddress } from '../audience/index.js';
import {
  type CampaignSnapshot,
  isMessageTemplate,
  loadCampaign,
  UnknownCampaignError,
} from '../campaign/index.js';
import {
  BUILT_INS,
  compileMessage,
  type MessageTemplate,
  TemplateError,
  usedFields,
} from '../message/index.js';
import type { Clock } from '../runtime/index.js';

/** Files are read again after so long, ms: an edit shows soon, and a thousand messages a second read them once. */
const FRESH_MS = 1_000;
/** Data nested deeper than this is a mistake, or malice. */
const DEEPEST = 32;
/** As long as the link that a recipient will get. */
const EXAMPLE_LINK = `https://example.com/u/${'x'.repeat(80)}`;

/** There is no template of the name; a campaign with an audience is none. */
export class UnknownTemplateError extends Error {
  override readonly name = 'UnknownTemplateError';
}

/** What is wrong with one value of a request. Never holds the value. */
export interface MessageFinding {
  /** JSON pointer into the request, without `#`. */
  pointer: string;
  detail: string;
}

/** The message does not fit its template. */
export class UnfitMessageError extends Error {
  override readonly name = 'UnfitMessageError';
  constructor(readonly findings: MessageFinding[]) {
    super(findings.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '));
  }
}

/** A message that a program asks for. */
export interface MessageContent {
  template: string;
  to: string;
  data: Record<string, unknown>;
}

interface Loaded {
  snapshot: CampaignSnapshot;
  compiled: MessageTemplate;
  required: string[];
}

export class MessageTemplates {
  readonly #clock: Clock;
  readonly #campaignsDir: string;
  readonly #loaded = new Map<string, { at: number; loading: Promise<Loaded> }>();

  constructor({ clock }: { clock: Clock }, { campaignsDir }: { campaignsDir: string }) {
    this.#clock = clock;
    this.#campaignsDir = campaignsDir;
  }

  /**
   * The template of a message that fits it.
   * @throws {UnknownTemplateError} {UnfitMessageError} {CampaignFileError}
   */
  async fit({ template, to, data }: MessageContent): Promise<CampaignSnapshot> {
    const { snapshot, compiled, required } = await this.#get(template);
    const address = parseRecipientAddress(to);
    const findings = [
      ...('invalid' in address ? [{ pointer: '/to', detail: address.invalid }] : []),
      ...Object.keys(data).flatMap((name) => {
        const detail = Object.hasOwn(BUILT_INS, name)
          ? `templates have another value of this name: ${name}`
          : fieldNameProblem(name);
        return detail ? [{ pointer: pointerTo(name), detail }] : [];
      }),
      ...required
        .filter((name) => !Object.hasOwn(data, name))
        .map((name) => ({ pointer: pointerTo(name), detail: `the template uses ${name}` })),
    ];
    if ('invalid' in address || findings.length > 0) throw new UnfitMessageError(findings);
    try {
      compiled.render({
        address: address.address,
        fields: data,
        ...(snapshot.definition.unsubscribe && { unsubscribeUrl: EXAMPLE_LINK }),
      });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new UnfitMessageError([{ pointer: '/data', detail: error.message }]);
    }
    return snapshot;
  }

  async #get(id: string): Promise<Loaded> {
    const known = this.#loaded.get(id);
    if (known && this.#clock.now() - known.at < FRESH_MS) return known.loading;
    const loading = this.#load(id);
    this.#loaded.set(id, { at: this.#clock.now(), loading });
    loading.catch(() => this.#loaded.delete(id));
    return loading;
  }

  async #load(id: string): Promise<Loaded> {
    const snapshot = await loadCampaign(this.#campaignsDir, id).catch((error: unknown) => {
      if (error instanceof UnknownCampaignError) throw new UnknownTemplateError('There is no such folder.');
      throw error;
    });
    if (!isMessageTemplate(snapshot.definition))
      throw new UnknownTemplateError('It is a campaign: its file does not say "audience: messages".');
    const compiled = compileMessage(snapshot, { scheduledAt: new Date(this.#clock.now()) });
    return { snapshot, compiled, required: [...new Set(usedFields(snapshot).map(({ name }) => name))] };
  }
}

/** Of what is asked for and not of the bytes: the order of the data's keys does not count. */
export function fingerprintOf({ template, to, data }: MessageContent): string {
  return hash('sha256', canonical([template, to, data]), 'base64url').slice(0, 16);
}

/** @throws {UnfitMessageError} for data that are nested too deeply. */
function canonical(value: unknown, depth = 0): string {
  if (depth > DEEPEST)
    throw new UnfitMessageError([{ pointer: '/data', detail: `nested deeper than ${DEEPEST}` }]);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, depth + 1)}`).join(',')}}`;
}

function pointerTo(name: string): string {
  return `/data/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
}
