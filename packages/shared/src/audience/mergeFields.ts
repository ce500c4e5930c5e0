/** Words of Liquid's own: as a name they would render as nothing, or as true. */
export const LIQUID_WORDS: ReadonlySet<string> = new Set([
  'and',
  'blank',
  'contains',
  'empty',
  'false',
  'nil',
  'not',
  'null',
  'or',
  'true',
]);

/**
 * Columns and keys become merge fields: `First name` is `{{ first_name }}`. Lower case, so that `Email` and `email` are the
 * same for every source; a run of characters that Liquid does not take in a name becomes one `_`, and none at the ends;
 * a word of Liquid's own gets a `_` behind (`{{ empty_ }}`).
 */
export function toFieldName(column: string): string {
  const name = column
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '_')
    .replace(/^[_-]+|[_-]+$/g, '');
  return LIQUID_WORDS.has(name) ? `${name}_` : name;
}

/** The names of columns that come to the same merge field, or to none. Undefined: all is well. */
export function findClash(columns: readonly string[]): string | undefined {
  const known = new Map<string, string>();
  for (const column of columns) {
    const field = toFieldName(column);
    if (field === '') return `the column "${column}" has no usable name`;
    const other = known.get(field);
    if (other !== undefined)
      return `the columns "${other}" and "${column}" are the same merge field, ${field}`;
    known.set(field, column);
  }
  return undefined;
}

/** What is wrong with a name that programs give to a merge field; they write it as templates do. Undefined: all is well. */
export function fieldNameProblem(name: string): string | undefined {
  const field = toFieldName(name);
  if (field === name) return undefined;
  return field === '' ? 'this is no name of a field' : `templates could not use this name; write ${field}`;
}
