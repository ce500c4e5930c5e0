/**
 * One campaign's folder, read and checked: `campaign.yaml`, `body.txt`, maybe `body.html`, and the audience that they name.
 * Every problem of every file is reported at once; what can't be known because of one problem is left out.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import {
  type AudienceSource,
  AudienceSourceError,
  audienceFile,
  openAudience,
  parseMailbox,
} from '../audience/index.js';
import { checkTemplates, type MessagePart } from '../message/index.js';
import type { CampaignProblem } from './campaignProblem.js';
import {
  type AudienceDefinition,
  CAMPAIGN_ID,
  type Campaign,
  type CampaignInput,
  CampaignSchema,
  YAML_HINTS,
} from './campaignSchema.js';
import { withDefaultUtm } from './linksSchema.js';
import { isMessageTemplate, strangersInTemplate } from './messageTemplate.js';
import { type PlaceOf, readYaml } from './yamlFile.js';

export interface CampaignBody {
  text: string;
  html?: string;
}

/** All that a run needs, as JSON: pinned when the run is created, so that later edits change nothing in it. */
export interface CampaignSnapshot {
  id: string;
  definition: Campaign;
  body: CampaignBody;
  /** SHA-256 over definition and bodies, 16 hex digits: which version of the campaign was sent. */
  hash: string;
  /** The campaign's folder, absolute; paths in the definition are relative to it. */
  baseDir: string;
}

export interface CheckedFolder {
  /** Missing when there are problems. */
  campaign?: CampaignSnapshot;
  problems: CampaignProblem[];
}

/** @param baseDir the campaign's folder, absolute. */
export async function readCampaignFolder(id: string, baseDir: string): Promise<CheckedFolder> {
  return new CampaignFolder(id, baseDir).check();
}

/** Templates are checked for their syntax even when the definition is unusable; they need this much of one. */
const NO_DEFINITION = { subject: '', audience: { csv: '', address_field: 'email' } };

class CampaignFolder {
  readonly #id: string;
  readonly #baseDir: string;
  readonly #files: Record<MessagePart, string>;
  readonly #problems: CampaignProblem[] = [];

  constructor(id: string, baseDir: string) {
    this.#id = id;
    this.#baseDir = baseDir;
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
    const body = await this.#readBody();
    const fields = definition && (await this.#audienceFields(definition.audience, placeOf));
    for (const { part, line, column, message, expected } of checkTemplates(
      { definition: definition ?? NO_DEFINITION, body },
      fields,
    )) {
      const place = part === 'subject' ? placeOf(['subject']) : { line, column };
      this.#report(this.#files[part], part === 'subject' ? `subject: ${message}` : message, place, expected);
    }
    const problems = this.#problems;
    if (problems.length > 0 || !definition) return { problems };
    const contentHash = hash('sha256', JSON.stringify({ definition, body }), 'hex').slice(0, 16);
    return {
      campaign: { id: this.#id, definition, body, hash: contentHash, baseDir: this.#baseDir },
      problems,
    };
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

  async #readBody(): Promise<CampaignBody> {
    const text = await this.#readText('text', "it is the mail's text (Liquid)");
    if (text?.trim() === '') this.#report(this.#files.text, 'the text is empty', { line: 1 });
    const html = await this.#readText('html');
    return { text: text ?? '', ...(html !== undefined && { html }) };
  }

  /** @param purpose of a file that has to be there. */
  async #readText(part: MessagePart, purpose?: string): Promise<string | undefined> {
    const file = this.#files[part];
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

  /** The audience's merge fields; undefined when it is unusable, or empty. */
  async #audienceFields(audience: AudienceDefinition, placeOf: PlaceOf): Promise<string[] | undefined> {
    try {
      const source = openAudience(audience, this.#baseDir);
      if (isMessageTemplate({ audience })) return await this.#sampleFields(source);
      const fields = await source.fields();
      await this.#checkSomebody(audience, source);
      return fields;
    } catch (error) {
      if (!(error instanceof AudienceSourceError)) throw error;
      const { file, line, reason } = error;
      // About the file as a whole it is the definition that has to be looked at, else the line of the audience.
      if (line !== undefined) this.#report(file, reason, { line });
      else {
        const message = `audience: the file ${relative(this.#baseDir, file)} can't be used: ${reason}`;
        this.#report(this.#files.subject, message, placeOf(['audience']));
      }
      return undefined;
    }
  }

  /** The sample's merge fields; undefined when there is no sample: what programs send is checked when it comes. */
  async #sampleFields(source: AudienceSource): Promise<string[] | undefined> {
    for await (const row of source.rows()) {
      if ('recipient' in row) return source.fields();
      this.#report(join(this.#baseDir, 'sample.json'), row.invalid);
    }
    return undefined;
  }

  async #checkSomebody(audience: AudienceDefinition, source: AudienceSource): Promise<void> {
    let why = 'it has no rows';
    let count = 0;
    for await (const row of source.rows()) {
      if ('recipient' in row) return;
      count += 1;
      if (count === 1) why = `none of its rows can be used; the first, line ${row.line}: ${row.invalid}`;
    }
    this.#report(audienceFile(audience, this.#baseDir), `the audience is empty: ${why}`);
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

function resolveDefaults(id: string, { list_id, links, ...input }: CampaignInput): Campaign {
  const domain = parseMailbox(input.from)?.address.split('@')[1] ?? 'localhost';
  return {
    ...input,
    list_id: `<${list_id ?? `${id}.${domain}`}>`,
    ...(links && { links: withDefaultUtm(links, id) }),
  };
}
