/** A YAML file, checked against a schema, with every problem at the line where it stands. */
import leven from 'leven';
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';

export interface YamlProblem {
  line: number;
  column: number;
  message: string;
}

type Path = readonly PropertyKey[];

/**
 * @param knownKeys the keys by the path of their object, for "did you mean".
 * @returns the checked value, or all problems. `lineOf` finds a value's line for problems that are found later.
 */
export function readYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  knownKeys: Record<string, string[]>,
): { value?: z.infer<Schema>; problems: YamlProblem[]; lineOf: (path: Path) => number } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const placeOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const nodeAt = (path: Path): Node | undefined => nearestNode(document.contents, path);
  const lineOf = (path: Path) => placeOf(nodeAt(path)?.range?.[0] ?? 0).line;
  if (document.errors.length > 0) {
    return {
      lineOf,
      problems: document.errors.map(({ message, pos }) => ({
        ...placeOf(pos[0]),
        message: `YAML: ${message}`,
      })),
    };
  }
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return { value: parsed.data, problems: [], lineOf };
  const problems = parsed.error.issues.flatMap(flattenUnion).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        ...placeOf(keyOffset(nodeAt(issue.path), key)),
        message: unknownKey([...issue.path, key].join('.'), key, knownKeys[issue.path.join('.')] ?? []),
      }));
    }
    const name = issue.path.join('.');
    return [
      {
        ...placeOf(nodeAt(issue.path)?.range?.[0] ?? 0),
        message: `${name}${name && ': '}${describe(issue)}`,
      },
    ];
  });
  return { problems, lineOf };
}

/** Of a union that nothing fits, the alternative which fits best is explained: the one with the fewest unknown keys. */
function flattenUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const isStranger = (alternative: z.core.$ZodIssue[]) =>
    alternative.some(({ code }) => code === 'invalid_type') &&
    alternative.some(({ code }) => code === 'unrecognized_keys');
  const fitting = issue.errors.filter(
    (alternative) => !isStranger(alternative) && alternative.some(({ path }) => path.length > 0),
  );
  const [best] =
    fitting.length > 0
      ? fitting
      : issue.errors.filter((alternative) => alternative.every(({ code }) => code === 'unrecognized_keys'));
  if (!best) return [issue];
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  return issue.message.replace(/^Invalid input: expected (\w+), received (\w+)$/, 'expected $1, got $2');
}

function unknownKey(path: string, key: string, known: string[]): string {
  const nearest = known.toSorted((a, b) => leven(key, a) - leven(key, b))[0];
  const hint =
    nearest && leven(key, nearest) <= Math.max(2, key.length / 3)
      ? `, did you mean "${nearest}"?`
      : `; known are ${known.join(', ')}`;
  return `${path}: there is no such key${hint}`;
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

function keyOffset(node: Node | undefined, key: string): number {
  const pair = isMap(node)
    ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
    : undefined;
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : (node?.range?.[0] ?? 0);
}
