/**
 * One campaign's folder, read and checked: `campaign.yaml`, `body.txt`, `body.html` or `body.mjml`, the files that go along,
 * and the audience that they name. Every problem of every file is reported at once; what can't be known because of one problem is left out.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Attachment } from '../attachments/index.js';
import {
  type AudienceSource,
  AudienceSourceError,
  describeSource,
  isFileAudience,
  openAudience,
  parseMailbox,
  toFieldName,
  WhereFilter,
} from '../audience/index.js';
import { compileHtml, type HtmlKind } from '../html/index.js';
import { checkTemplates, type MessagePart } from '../message/index.js';
import type { Content } from '../message/liquid.js';
import type { AudienceDefinition } from './audienceSchema.js';
import type { CampaignProblem } from './campaignProblem.js';
import {
  CAMPAIGN_ID,
  type Campaign,
  type CampaignInput,
  CampaignSchema,
  YAML_HINTS,
} from './campaignSchema.js';
import { didYouMean } from './didYouMean.js';
import { withDefaultUtm } from './linksSchema.js';
import { MailFiles } from './mailFiles.js';
import { isMessageTemplate, strangersInTemplate } from './messageTemplate.js';
import { nextOccasion } from './nextOccasion.js';
import { hasOwnZones } from './ownZones.js';
import { type PlaceOf, readYaml } from './yamlFile.js';

/** Templates, as they are rendered: MJML is HTML by then, and where there was no text it is made from that. */
export interface CampaignBody {
  text: string;
  html?: string;
}

/** All that a run needs, as JSON: pinned when the run is created, so that later edits change nothing in it. */
export interface CampaignSnapshot {
  id: string;
  definition: Campaign;
  body: CampaignBody;
  /** Files that go along with each mail, without their contents. */
  attachments?: Attachment[];
  /** SHA-256 over definition, bodies and attachments, 16 hex digits: which version of the campaign was sent. */
  hash: string;
  /** The campaign's folder, absolute; paths in the definition are relative to it. */
  baseDir: string;
}

export interface CheckedFolder {
  /** Missing when there are problems. */
  campaign?: CampaignSnapshot;
  problems: CampaignProblem[];
}

export interface LoadOptions {
  /**
   * Sources that somebody else serves (a database, a URL) are asked, too. By default they are not: a schedule must not stop
   * because a database is away, nor pages query it whenever they are drawn.
   */
  asksSources?: boolean;
}

/** @param baseDir the campaign's folder, absolute. */
export async function readCampaignFolder(
  id: string,
  baseDir: string,
  options: LoadOptions = {},
): Promise<CheckedFolder> {
  return new CampaignFolder(id, baseDir, options).check();
}

/** Templates are checked for their syntax even when the definition is unusable; they need this much of one. */
const NO_DEFINITION = { subject: '', audience: { csv: '', address_field: 'email' } };

/** The bodies as their author wrote them. */
interface BodySources {
  text?: string;
  html?: { kind: HtmlKind; source: string };
}

class CampaignFolder {
  readonly #id: string;
  readonly #baseDir: string;
  readonly #files: Record<MessagePart, string>;
  readonly #problems: CampaignProblem[] = [];

  readonly #asksSources: boolean;

  constructor(id: string, baseDir: string, { asksSources = false }: LoadOptions) {
    this.#id = id;
    this.#baseDir = baseDir;
    this.#asksSources = asksSources;
    const file = (name: string) => join(baseDir, name);
    this.#files = {
      subject: file('campaign.yaml'),
      text: file('body.txt'),
      html: file('body.html'),
    };
  }

  async check(): Promise<CheckedFolder> {
    this.#checkId();
    const [definition, placeOf] = await this.#readDefinition();
    const sources = await this.#readBodies();
    const files = await this.#findFiles(definition, placeOf);
    const fields = definition && (await this.#audienceFields(definition, placeOf));
    if (fields) this.#checkZoneField(definition, fields, placeOf);
    const content = { definition: definition ?? NO_DEFINITION, body: writtenBody(sources) };
    const isHtmlSound = this.#checkTemplates(content, fields, placeOf);
    const body = isHtmlSound ? await this.#compileBody(content, sources, files) : content.body;
    const tooMuch = files.findTooMuch();
    if (tooMuch) this.#report(this.#files.subject, tooMuch, placeOf(['attachments']));
    const problems = this.#problems;
    if (problems.length > 0 || !definition) return { problems };
    const attachments = files.all.length > 0 ? { attachments: files.all } : {};
    const contentHash = hash('sha256', JSON.stringify({ definition, body, ...attachments }), 'hex').slice(
      0,
      16,
    );
    return {
      campaign: { id: this.#id, definition, body, ...attachments, hash: contentHash, baseDir: this.#baseDir },
      problems,
    };
  }

  /** @returns whether the HTML can be worked on. */
  #checkTemplates(content: Content, fields: readonly string[] | undefined, placeOf: PlaceOf): boolean {
    const found = checkTemplates(content, fields);
    for (const { part, line, column, message, expected } of found) {
      const place = part === 'subject' ? placeOf(['subject']) : { line, column };
      this.#report(this.#files[part], part === 'subject' ? `subject: ${message}` : message, place, expected);
    }
    return !found.some(({ part }) => part === 'html');
  }

  #checkId(): void {
    if (CAMPAIGN_ID.test(this.#id)) return;
    this.#report(
      this.#baseDir,
      'a campaign is named with letters, digits, - and _, without --, at most 100, and not first -',
    );
  }

  async #readDefinition(): Promise<[Campaign | undefined, PlaceOf]> {
    const text = await this.#readText('subject', 'it says what is sent to whom, and when');
    if (text === undefined) return [undefined, () => ({ line: 1, column: 1 })];
    const { value, keys, problems, placeOf } = readYaml(text, CampaignSchema, YAML_HINTS);
    for (const { message, expected, ...place } of problems)
      this.#report(this.#files.subject, message, place, expected);
    if (value && isMessageTemplate(value))
      for (const key of strangersInTemplate(keys))
        this.#report(
          this.#files.subject,
          `${key}: can't stand beside "audience: messages"`,
          placeOf([key]),
          'an audience from a file, or no such key: single messages are sent when a program asks for them',
        );
    return [value && resolveDefaults(this.#id, value), placeOf];
  }

  async #readBodies(): Promise<BodySources> {
    const [html, mjml] = [
      await this.#readText('html'),
      await this.#readFile(join(this.#baseDir, 'body.mjml')),
    ];
    if (html !== undefined && mjml !== undefined)
      this.#report(this.#files.html, 'there is a body.mjml as well', { line: 1 }, 'one of the two');
    if (mjml !== undefined) this.#files.html = join(this.#baseDir, 'body.mjml');
    const source = mjml ?? html;
    const purpose = source === undefined ? "it is the mail's text (Liquid)" : undefined;
    const text = await this.#readText('text', purpose);
    if (text?.trim() === '') this.#report(this.#files.text, 'the text is empty', { line: 1 });
    return {
      ...(text !== undefined && { text }),
      ...(source !== undefined && { html: { kind: mjml === undefined ? 'html' : 'mjml', source } }),
    };
  }

  /** The files that the definition names; pictures come when the HTML is looked at. */
  async #findFiles(definition: Campaign | undefined, placeOf: PlaceOf): Promise<MailFiles> {
    const files = new MailFiles(this.#baseDir);
    for (const [index, attachment] of (definition?.attachments ?? []).entries()) {
      const failure = await files.attach(attachment);
      if (!failure) continue;
      const message = `attachments: ${attachment.file}: ${failure.problem}`;
      this.#report(this.#files.subject, message, placeOf(['attachments', index]), failure.expected);
    }
    return files;
  }

  /** @param content its HTML as it was written, without errors of Liquid. */
  async #compileBody(content: Content, { html, text }: BodySources, files: MailFiles): Promise<CampaignBody> {
    if (!html) return content.body;
    const options = { hasText: text !== undefined, resolveImage: files.resolveImage };
    const compiled = await compileHtml(html, options);
    if ('problems' in compiled) {
      for (const { message, expected, ...place } of compiled.problems)
        this.#report(this.#files.html, message, place, expected);
      return content.body;
    }
    const body = { text: text ?? compiled.text ?? '', html: compiled.html };
    if (text === undefined) this.#checkMadeText({ ...content, body });
    return body;
  }

  /** Somebody who sees no HTML gets it. */
  #checkMadeText(content: Content): void {
    const expected = 'a body.txt';
    if (content.body.text.trim() === '')
      this.#report(this.#files.html, 'there is no text in it for those who see no HTML', {}, expected);
    for (const { part, message } of checkTemplates(content, undefined))
      if (part === 'text')
        this.#report(this.#files.html, `the text that is made of it: ${message}`, {}, expected);
  }

  /** @param purpose of a file that has to be there. */
  async #readText(part: MessagePart, purpose?: string): Promise<string | undefined> {
    return this.#readFile(this.#files[part], purpose);
  }

  async #readFile(file: string, purpose?: string): Promise<string | undefined> {
    try {
      const text = await readFile(file, 'utf8');
      const line = text.slice(0, text.indexOf('\ufffd')).split('\n').length;
      if (text.includes('\ufffd')) this.#report(file, 'this line is no UTF-8', { line });
      return text.replace(/^\ufeff/, '');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const isMissing = code === 'ENOENT';
      if (!isMissing) this.#report(file, `the file can't be read: ${message}`);
      else if (purpose) this.#report(file, `the file is missing: ${purpose}`);
      return undefined;
    }
  }

  /** The audience's merge fields; undefined when it is unusable, empty, or not asked. */
  async #audienceFields({ audience, schedule }: Campaign, placeOf: PlaceOf): Promise<string[] | undefined> {
    const source = openAudience(audience, {
      baseDir: this.#baseDir,
      occasion: nextOccasion(this.#id, schedule),
    });
    try {
      if (isMessageTemplate({ audience })) return await this.#sampleFields(source);
      if (source.check && !this.#asksSources) {
        await source.check();
        this.#checkWhere(audience, undefined, placeOf);
        return undefined;
      }
      const fields = await source.fields();
      if (this.#checkWhere(audience, fields, placeOf)) await this.#checkSomebody(audience, source, placeOf);
      return fields;
    } catch (error) {
      if (!(error instanceof AudienceSourceError)) throw error;
      this.#reportSource(error, placeOf);
      return undefined;
    }
  }

  #checkZoneField({ schedule }: Campaign, fields: readonly string[], placeOf: PlaceOf): void {
    if (!hasOwnZones(schedule) || fields.includes(toFieldName(schedule.timezone_field))) return;
    const { timezone_field: name } = schedule;
    const hint = didYouMean(name, fields) || `; there are ${fields.join(', ')}`;
    const message = `schedule.timezone_field: the audience has no field "${name}"${hint}`;
    this.#report(this.#files.subject, message, placeOf(['schedule', 'timezone_field']));
  }

  /** The sample's merge fields; undefined when there is no sample: what programs send is checked when it comes. */
  async #sampleFields(source: AudienceSource): Promise<string[] | undefined> {
    for await (const row of source.rows()) {
      if ('recipient' in row) return source.fields();
      this.#report(join(this.#baseDir, 'sample.json'), row.invalid);
    }
    return undefined;
  }

  #reportSource({ file, line, reason }: AudienceSourceError, placeOf: PlaceOf): void {
    // About the source as a whole it is the definition that has to be looked at, else the line of the audience.
    if (line !== undefined) this.#report(file, reason, { line });
    else {
      const subject = isAbsolute(file) ? `the file ${relative(this.#baseDir, file)}` : file;
      this.#report(
        this.#files.subject,
        `audience: ${subject} can't be used: ${reason}`,
        placeOf(['audience']),
      );
    }
  }

  /** @returns false when it is wrong, so that it need not be asked of the rows. */
  #checkWhere(
    { where }: AudienceDefinition,
    fields: readonly string[] | undefined,
    placeOf: PlaceOf,
  ): boolean {
    const problem = where === undefined ? undefined : WhereFilter.problemOf(where, fields);
    if (problem === undefined) return true;
    this.#report(this.#files.subject, `audience.${problem}`, placeOf(['audience', 'where']));
    return false;
  }

  async #checkSomebody(
    audience: AudienceDefinition,
    source: AudienceSource,
    placeOf: PlaceOf,
  ): Promise<void> {
    let why = audience.where === undefined ? 'it has no rows' : 'it has no rows for which where holds';
    let count = 0;
    for await (const row of source.rows()) {
      if ('recipient' in row) return;
      count += 1;
      if (count === 1) why = `none of its rows can be used; the first, line ${row.line}: ${row.invalid}`;
    }
    const isFile = isFileAudience(audience);
    const file = isFile ? resolve(this.#baseDir, describeSource(audience)) : this.#files.subject;
    this.#report(file, `the audience is empty: ${why}`, isFile ? {} : placeOf(['audience']));
  }

  #report(
    file: string,
    message: string,
    place: { line?: number; column?: number } = {},
    expected?: string,
  ): void {
    this.#problems.push({ campaign: this.#id, file, ...place, message, ...(expected && { expected }) });
  }
}

function writtenBody({ text = '', html }: BodySources): CampaignBody {
  return { text, ...(html && { html: html.source }) };
}

function resolveDefaults(id: string, { list_id, links, ...input }: CampaignInput): Campaign {
  const domain = parseMailbox(input.from)?.address.split('@')[1] ?? 'localhost';
  return {
    ...input,
    list_id: `<${list_id ?? `${id}.${domain}`}>`,
    ...(links && { links: withDefaultUtm(links, id) }),
  };
}
