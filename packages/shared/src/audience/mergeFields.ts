/**
 * Column names become merge fields: `First name` is `{{ first_name }}`. Lower case, everything that Liquid does not take in
 * a name becomes `_`.
 */
export function toFieldName(column: string): string {
  return column
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_-]+/gu, '_')
    .replace(/^_+|_+$/g, '');
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

/** Which of the required fields a row lacks. `null` and the empty string are values: the mail says what to do with them. */
export function missingField(
  fields: Record<string, unknown>,
  required: readonly string[],
): string | undefined {
  return required.find((name) => fields[name] === undefined);
}
