/** Finds what is wrong in templates without sending anything: syntax, and fields that the audience does not have. */
import { type Liquid, LiquidError, type LiquidErrors, type Template, type Variable } from 'liquidjs';
import { toFieldName } from '../audience/mergeFields.js';
import { didYouMean } from '../campaign/didYouMean.js';
import {
  type Content,
  explainLiquidError,
  type MessagePart,
  makeEngine,
  type PartSource,
  partsOf,
  type TemplatePlace,
  timezoneOf,
} from './liquid.js';
import { BUILT_INS } from './template.js';
import { toTemplateError } from './templateError.js';

/** The built-in value that there is in some campaigns only. */
const UNSUBSCRIBE_URL = 'unsubscribe_url';

export interface FieldUse extends TemplatePlace {
  /** Top-level name. */
  name: string;
  part: MessagePart;
}

export interface TemplateProblem extends TemplatePlace {
  part: MessagePart;
  message: string;
  expected?: string;
}

/** Every use of a merge field in the templates. @throws {TemplateError} for a syntax error. */
export function usedFields(content: Content): FieldUse[] {
  return partsOf(content).flatMap((source) => {
    try {
      const { engine, templates } = parse(content, source);
      return variablesIn(engine, templates)
        .filter(({ name }) => !isBuiltIn(name))
        .map(({ name, place }) => ({ name, part: source.part, ...place }));
    } catch (error) {
      throw LiquidError.is(error) ? toTemplateError(error, source.part) : error;
    }
  });
}

/**
 * Every problem of every part, in the order of the files.
 * @param fields that the audience has; undefined when they are not known.
 */
export function checkTemplates(content: Content, fields: readonly string[] | undefined): TemplateProblem[] {
  return partsOf(content).flatMap((source) => {
    try {
      const { engine, templates } = parse(content, source);
      return variablesIn(engine, templates).flatMap((variable) => {
        const problem = isBuiltIn(variable.name)
          ? builtInProblem(variable, content, fields)
          : fields && fieldProblem(variable.name, fields);
        return problem ? [{ part: source.part, ...variable.place, ...problem }] : [];
      });
    } catch (error) {
      if (!LiquidError.is(error)) throw error;
      return syntaxProblems(error).map((problem) => ({ part: source.part, ...problem }));
    }
  });
}

/** The bodies without a link to unsubscribe, though recipients may. Templates must be free of errors. */
export function partsWithoutUnsubscribeLink(content: Content): MessagePart[] {
  if (!content.definition.unsubscribe) return [];
  return partsOf(content)
    .filter((source) => {
      const { engine, templates } = parse(content, source);
      return (
        source.part !== 'subject' &&
        !variablesIn(engine, templates).some(({ name }) => name === UNSUBSCRIBE_URL)
      );
    })
    .map(({ part }) => part);
}

function parse(content: Content, { source, isHtml }: PartSource) {
  const timezone = timezoneOf(content.definition);
  const engine = makeEngine({ isHtml, timezone, catchAllErrors: true });
  return { engine, templates: engine.parse(source) };
}

interface VariableUse {
  name: string;
  /** What follows the name, when it is a plain property. */
  property: string | undefined;
  place: TemplatePlace;
}

/** What comes from outside of the template: neither assigned in it, nor a loop's own. In the order of the text. */
function variablesIn(engine: Liquid, templates: Template[]): VariableUse[] {
  const { globals } = engine.analyzeSync(templates, { partials: false });
  const toUse = (name: string, { segments, location }: Variable): VariableUse => ({
    name,
    property: typeof segments[1] === 'string' ? segments[1] : undefined,
    place: { line: location.row, column: location.col },
  });
  return Object.entries(globals)
    .flatMap(([name, uses]) => uses.map((use) => toUse(name, use)))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
}

function isBuiltIn(name: string): boolean {
  return Object.hasOwn(BUILT_INS, name);
}

type Finding = Pick<TemplateProblem, 'message' | 'expected'> | undefined;

function fieldProblem(name: string, fields: readonly string[]): Finding {
  if (fields.includes(name)) return undefined;
  // `{{ First_Name }}` is an easy one: fields are in lower case.
  const meant = didYouMean(toFieldName(name), fields);
  return {
    message: `{{ ${name} }}: the audience has no such field${meant}`,
    expected: `one of ${fields.join(', ')}`,
  };
}

function builtInProblem(
  { name, property }: VariableUse,
  { definition }: Content,
  fields: readonly string[] = [],
): Finding {
  const isAddressField = name === 'address' && toFieldName(definition.audience.address_field) === 'address';
  if (fields.includes(name) && !isAddressField) {
    return {
      message: `{{ ${name} }}: the audience has a column of this name, which would be hidden by the built-in one`,
      expected: 'another name of the column',
    };
  }
  if (name === UNSUBSCRIBE_URL && definition.unsubscribe === false) {
    return {
      message: `{{ ${name} }}: the campaign says "unsubscribe: no"`,
      expected: 'yes, or no such link',
    };
  }
  const known = BUILT_INS[name] ?? [];
  if (known.length === 0 || (property !== undefined && known.includes(property))) return undefined;
  const given = property === undefined ? name : `${name}.${property}`;
  const meant = property === undefined ? '' : didYouMean(property, known);
  return {
    message: `{{ ${given} }}: there is no such value${meant}`,
    expected: known.map((each) => `${name}.${each}`).join(' or '),
  };
}

function syntaxProblems(error: LiquidError): (TemplatePlace & { message: string })[] {
  const errors = isMany(error) ? error.errors : [error];
  return errors
    .map((each) => explainLiquidError(each))
    .flatMap(({ place = { line: 1, column: 1 }, reason }, index) => {
      // A block whose start is wrong leaves its end alone, which is no error of its own.
      const isEcho = index > 0 && /^tag "(end\w+|else|elsif|when)" not found$/.test(reason);
      return isEcho ? [] : [{ ...place, message: reason }];
    });
}

/** The class itself is not exported. */
function isMany(error: LiquidError): error is LiquidErrors {
  return 'errors' in error;
}
