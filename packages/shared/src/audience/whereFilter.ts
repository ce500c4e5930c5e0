/**
 * `where`: which rows of a source are in the audience, as a condition of Liquid's over merge fields, as templates have them in
 * `{% if … %}`: `plan == "pro" and city != ""`. Compiled once a pass over the source.
 */
import { type Liquid, LiquidError, type Template } from 'liquidjs';
import { didYouMean } from '../campaign/didYouMean.js';
import { explainLiquidError, makeEngine } from '../message/liquid.js';
import { AudienceSourceError } from './audienceSource.js';
import { toFieldName } from './mergeFields.js';

const HOLDS = 'y';

/** Liquid takes a missing operand for nothing, so that the condition would hold for nobody. */
const ENDS_OPEN = /(==|!=|<>|[<>]=?|\b(and|or|not|contains))\s*$/;

export class WhereFilter {
  /** Merge fields that the condition asks for. */
  readonly fields: readonly string[];

  private constructor(
    private readonly engine: Liquid,
    private readonly templates: Template[],
  ) {
    this.fields = Object.keys(engine.analyzeSync(templates, { partials: false }).globals);
  }

  /**
   * @param source as errors call it.
   * @throws {AudienceSourceError} when the text is no condition.
   */
  static compile(where: string, source: string): WhereFilter {
    const fail = (reason: string) => new AudienceSourceError(source, undefined, `where: ${reason}`);
    if (/[{%]%|%\}|\{\{|\}\}/.test(where))
      throw fail('expected a condition alone, as plan == "pro", without {% %} and {{ }}');
    if (ENDS_OPEN.test(where)) throw fail(`"${where}" ends where a value is expected`);
    const engine = makeEngine({ isHtml: false, timezone: 'UTC' });
    try {
      const filter = new WhereFilter(engine, engine.parse(`{% if ${where} %}${HOLDS}{% endif %}`));
      // One that asks for nothing holds for everybody or for nobody: `plan = "pro"` would be such.
      if (filter.fields.length === 0) throw fail('the condition asks for no merge field');
      return filter;
    } catch (error) {
      if (!LiquidError.is(error)) throw error;
      const hint = /[^=!<>]=[^=]/.test(where) ? ' (equal is written ==)' : '';
      throw fail(`"${where}" is no condition: ${explainLiquidError(error).reason}${hint}`);
    }
  }

  /**
   * What is wrong with a condition; undefined: nothing.
   * @param fields that the audience has; undefined when they are not known.
   */
  static problemOf(where: string, fields: readonly string[] | undefined): string | undefined {
    try {
      const { fields: asked } = WhereFilter.compile(where, '');
      const unknown = fields && asked.find((name) => !fields.includes(name));
      if (unknown === undefined) return undefined;
      const meant = didYouMean(toFieldName(unknown), fields ?? []);
      return `where: the audience has no field "${unknown}"${meant || `; its fields are ${fields?.join(', ')}`}`;
    } catch (error) {
      if (error instanceof AudienceSourceError) return error.reason;
      throw error;
    }
  }

  /** Whether the condition holds; or why that can't be told of this row. */
  test(fields: Record<string, unknown>): boolean | { invalid: string } {
    for (const name of this.fields)
      if (fields[name] === undefined) return { invalid: `lacks the field "${name}", which where asks for` };
    try {
      return this.engine.renderSync(this.templates, fields) === HOLDS;
    } catch (error) {
      // Its text may hold the value that could not be taken.
      if (LiquidError.is(error)) return { invalid: 'where: a value of the row can not be compared' };
      throw error;
    }
  }
}
