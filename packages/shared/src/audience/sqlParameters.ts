/**
 * Named parameters in SQL: `:scheduled_at` becomes the server's own placeholder, so that no value ever stands in the text.
 * Nothing is touched in string literals, quoted names, comments and dollar quotes, and neither are casts (`x::date`),
 * assignments (`:=`) and slices (`a[1:n]`).
 *
 * The libraries for it that are kept up (named-placeholders, yesql) look for `:name` by a regular expression, and take
 * one for it in comments, dollar quotes or casts.
 */
import { didYouMean } from '../campaign/didYouMean.js';
import { isOccasionName, OCCASION_NAMES, type OccasionName } from './occasion.js';

export type SqlDialect = 'postgres' | 'mysql';

export interface PreparedSql {
  /** With `$1` or `?`. As many lines as the given text. */
  text: string;
  /** What the placeholders stand for, in their order. */
  names: OccasionName[];
}

/** The text is not what can be prepared. */
export class SqlParameterError extends Error {
  override readonly name = 'SqlParameterError';
  constructor(
    readonly reason: string,
    /** In the given text, from 1. */
    readonly line: number,
  ) {
    super(reason);
  }
}

/** What is passed over as it is, at the place where it begins. Each runs to the end of the text when it is never closed. */
const QUOTED: Record<SqlDialect, readonly RegExp[]> = {
  postgres: [
    // E'…' has escapes by backslash; all others have none.
    /(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*(?:'|$)/sy,
    /'(?:[^']|'')*(?:'|$)/y,
    /"(?:[^"]|"")*(?:"|$)/y,
    /(?<![\w$])\$([\p{L}_][\p{L}\p{N}_]*)?\$.*?(?:\$\1\$|$)/suy,
    /--[^\n]*/y,
  ],
  mysql: [
    /'(?:[^'\\]|\\.|'')*(?:'|$)/sy,
    /"(?:[^"\\]|\\.|"")*(?:"|$)/sy,
    /`(?:[^`]|``)*(?:`|$)/y,
    /--(?=\s|$)[^\n]*/y,
    /#[^\n]*/y,
    /\/\*.*?(?:\*\/|$)/sy,
  ],
};

/** With its type: an untyped one is guessed from what stands beside it, and `:scheduled_at - interval '1 day'` fails. */
const TYPES: Record<SqlDialect, Record<OccasionName, (placeholder: string) => string>> = {
  postgres: {
    scheduled_at: (placeholder) => `(${placeholder}::timestamptz)`,
    campaign: (placeholder) => `(${placeholder}::text)`,
    run: (placeholder) => `(${placeholder}::text)`,
  },
  mysql: {
    scheduled_at: (placeholder) => `CAST(${placeholder} AS DATETIME(3))`,
    campaign: (placeholder) => placeholder,
    run: (placeholder) => placeholder,
  },
};

const PARAMETER = /(?<![\w:$\])]):([A-Za-z_]\w*)/y;
/** A placeholder of the server's own, which would meet ours. */
const FOREIGN: Record<SqlDialect, RegExp> = { postgres: /(?<![\w$])\$\d+/y, mysql: /\?/y };

/** @throws {SqlParameterError} for a parameter that there is not, and for placeholders without a name. */
export function prepareSql(sql: string, dialect: SqlDialect): PreparedSql {
  const names: OccasionName[] = [];
  let text = '';
  let at = 0;
  const failAt = (reason: string) => new SqlParameterError(reason, sql.slice(0, at).split('\n').length);
  while (at < sql.length) {
    const end = endOfQuoted(sql, at, dialect);
    const parameter = end === at ? matchAt(PARAMETER, sql, at) : null;
    if (parameter) {
      const [written, name = ''] = parameter;
      if (!isOccasionName(name)) {
        const known = OCCASION_NAMES.map((each) => `:${each}`).join(', ');
        throw failAt(
          `${written}: there is no such parameter${didYouMean(name, OCCASION_NAMES) || `; known are ${known}`}`,
        );
      }
      text += TYPES[dialect][name](placeholderOf(dialect, name, names));
      at += written.length;
      continue;
    }
    if (end === at && matchAt(FOREIGN[dialect], sql, at))
      throw failAt(
        `parameters have names, as :${OCCASION_NAMES[0]}, and no ${dialect === 'postgres' ? '$1' : '?'}`,
      );
    const next = Math.max(end, at + 1);
    text += sql.slice(at, next);
    at = next;
  }
  return { text: text.trimEnd().replace(/;$/, ''), names };
}

/** Postgres takes one placeholder any number of times; MySQL wants a value for each. */
function placeholderOf(dialect: SqlDialect, name: OccasionName, names: OccasionName[]): string {
  if (dialect === 'mysql') {
    names.push(name);
    return '?';
  }
  if (!names.includes(name)) names.push(name);
  return `$${names.indexOf(name) + 1}`;
}

/** Where what is quoted or commented out ends; `at` itself when nothing such begins there. */
function endOfQuoted(sql: string, at: number, dialect: SqlDialect): number {
  if (dialect === 'postgres' && sql.startsWith('/*', at)) return endOfNestedComment(sql, at);
  for (const quoted of QUOTED[dialect]) {
    const match = matchAt(quoted, sql, at);
    if (match) return at + match[0].length;
  }
  return at;
}

/** In PostgreSQL a comment may hold others. */
function endOfNestedComment(sql: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
