/** A YAML file, checked against a schema, with every problem at the line where it stands. */
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { messageOf } from '../runtime/index.js';
import { didYouMean } from './didYouMean.js';

interface YamlPlace {
  line: number;
  column: number;
}

export interface YamlProblem extends YamlPlace {
  message: string;
  expected?: string;
}

type Path = readonly PropertyKey[];

/** Where a value stands, or the nearest one around it that exists. */
export type PlaceOf = (path: Path) => YamlPlace;

/** What the schema does not say about a file: by the path, `''` for the file itself. */
export interface YamlHints {
  /** The keys that an object may have; others are problems, with "did you mean". */
  keys: Record<string, string[]>;
  /** What belongs at a path, for values that are missing or of the wrong kind. */
  expected: Record<string, string>;
}

/**
 * @returns the checked value, or all problems in the order of the file. `placeOf` serves problems that are found later, and so
 *   do `keys`, which tell what was given from what is a default.
 */
export function readYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  hints: YamlHints,
): { value?: z.infer<Schema>; keys: string[]; problems: YamlProblem[]; placeOf: PlaceOf } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const placeOf: PlaceOf = (path) => placeAt(nearestNode(document.contents, path)?.range?.[0] ?? 0);
  const syntax = document.errors.map(({ message, pos }) => ({
    ...placeAt(pos[0]),
    message: `YAML: ${message}`,
  }));
  const keys = topKeys(document);
  if (syntax.length > 0) return { keys, problems: firstOfEachLine(syntax).map(withStarHint), placeOf };
  const value = toValue(document);
  if ('problem' in value)
    return { keys, problems: [{ line: 1, column: 1, message: value.problem }], placeOf };

  const strangers = unknownKeys(document, hints.keys);
  const parsed = schema.safeParse(value.value);
  if (parsed.success) return { value: parsed.data, keys, problems: [], placeOf };
  const isExplained = (issue: z.core.$ZodIssue) =>
    strangers.some(({ path }) => path.join('.') === issue.path.join('.')) && issue.code === 'invalid_union';
  const problems = [
    ...strangers.map(({ offset, message }) => ({ ...placeAt(offset), message })),
    ...parsed.error.issues
      .filter((issue) => !isExplained(issue))
      .flatMap(flattenUnion)
      .flatMap((issue) => describe(issue, document, hints))
      .map(({ path, ...problem }) => ({ ...placeOf(path), ...problem })),
  ];
  return { keys, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column), placeOf };
}

function topKeys({ contents }: Document): string[] {
  return isMap(contents) ? contents.items.map(({ key }) => (isScalar(key) ? String(key.value) : '')) : [];
}

function toValue(document: Document): { value: unknown } | { problem: string } {
  try {
    return { value: document.toJS() ?? {} };
  } catch (error) {
    // Aliases that lead nowhere, or that multiply.
    return { problem: `YAML: ${messageOf(error)}` };
  }
}

/** What follows on the same line is mostly an echo. */
function firstOfEachLine(problems: YamlProblem[]): YamlProblem[] {
  return problems.filter(({ line }, index) => problems.findIndex((other) => other.line === line) === index);
}

/** `cron: * * * * *` is what people write. */
function withStarHint(problem: YamlProblem): YamlProblem {
  return /alias/i.test(problem.message)
    ? { ...problem, expected: 'quotes around a value that begins with *' }
    : problem;
}

/** Keys that no object at their path may have. */
function unknownKeys(document: Document, keys: Record<string, string[]>) {
  return Object.entries(keys).flatMap(([joined, known]) => {
    const path = joined === '' ? [] : joined.split('.');
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    if (!isMap(node)) return [];
    return node.items.flatMap(({ key }) => {
      const name = isScalar(key) ? String(key.value) : '';
      if (known.includes(name)) return [];
      const hint = didYouMean(name, known) || `; known are ${known.join(', ')}`;
      const message = `${[...path, name].join('.')}: there is no such key${hint}`;
      return [{ path, offset: (isScalar(key) && key.range?.[0]) || 0, message }];
    });
  });
}

/** Of a union that nothing fits, the alternative which fits best is explained: the one that knows the keys that are given. */
function flattenUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const strangers = (alternative: z.core.$ZodIssue[]) =>
    alternative.flatMap((inner) => (inner.code === 'unrecognized_keys' ? inner.keys : [])).length;
  const candidates = issue.errors.filter((alternative) =>
    alternative.every(({ code, path }) => code === 'unrecognized_keys' || path.length > 0),
  );
  const [best] = candidates.toSorted((a, b) => strangers(a) - strangers(b) || a.length - b.length);
  if (!best) return [issue];
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

type Finding = Pick<YamlProblem, 'message' | 'expected'> & { path: PropertyKey[] };

function describe(issue: z.core.$ZodIssue, document: Document, hints: YamlHints): Finding[] {
  const name = issue.path.join('.');
  const label = name && `${name}: `;
  if (issue.code === 'unrecognized_keys') {
    // Unknown keys have been reported; these are known, and belong to another alternative.
    const known = hints.keys[name] ?? [];
    return issue.keys
      .filter((key) => known.includes(key))
      .map((key) => ({
        path: [...issue.path, key],
        message: `${label && `${name}.`}${key}: can't stand beside the other keys`,
        ...expectedAt(name, hints),
      }));
  }
  const isMissing = issue.path.length > 0 && document.getIn(issue.path) === undefined;
  if (isMissing) return [{ path: issue.path, message: `${label}is missing`, ...expectedAt(name, hints) }];
  const [, wanted, given] = /^Invalid input: expected (\w+), received (\w+)$/.exec(issue.message) ?? [];
  if (!wanted) return [{ path: issue.path, message: `${label}${issue.message}` }];
  const message = `${label}this is no ${wanted === 'string' ? 'text' : wanted} but ${given}`;
  return [{ path: issue.path, message, ...expectedAt(name, hints) }];
}

function expectedAt(name: string, { expected }: YamlHints): { expected?: string } {
  const text = expected[name];
  return text === undefined ? {} : { expected: text };
}

/** The node at a path, or the last one on the way that exists. */
function nearestNode(root: Node | null, path: Path): Node | undefined {
  let node = root ?? undefined;
  for (const key of path) {
    const next = isMap(node) ? node.get(key, true) : undefined;
    if (!next) return node;
    node = next as Node;
  }
  return node;
}
