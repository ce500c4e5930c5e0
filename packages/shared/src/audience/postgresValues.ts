/**
 * What PostgreSQL's values become as merge fields, which pass through JSON: exact, and such that Liquid can use them.
 *
 * Numbers are numbers while JavaScript can hold them; `numeric` stays text with its digits (`12.50`), and so does a `bigint`
 * beyond 2⁵³. Times are ISO 8601 in UTC, which the `date` filter takes; a day stays a day. All else is text as the server
 * writes it.
 */
import { parse as parseArray } from 'postgres-array';

type Parser = (text: string) => unknown;

/** Types by their OIDs, which are fixed (pg_type.dat). */
const BYTEA = 17;

const scalars: Readonly<Record<number, Parser>> = {
  16: (text) => text === 't',
  20: toInteger,
  21: Number,
  23: Number,
  26: Number,
  700: toFloat,
  701: toFloat,
  114: (text) => JSON.parse(text),
  3802: (text) => JSON.parse(text),
  // A time without a zone is taken for UTC's: the worker's own zone must not decide.
  1114: (text) => toIso(text, 'Z'),
  1184: (text) => toIso(text, ''),
};

/** Arrays by their OIDs, with the type of their elements. */
const ELEMENTS: Readonly<Record<number, number>> = {
  1000: 16,
  1016: 20,
  1005: 21,
  1007: 23,
  1028: 26,
  1021: 700,
  1022: 701,
  199: 114,
  3807: 3802,
  1115: 1114,
  1185: 1184,
  // char, name, text, bpchar, varchar, date, time, numeric, uuid: as they are written.
  1002: 18,
  1003: 19,
  1009: 25,
  1014: 1042,
  1015: 1043,
  1182: 1082,
  1183: 1083,
  1231: 1700,
  2951: 2950,
};

const asWritten: Parser = (text) => text;

/** The parser of a type. Enums and domains that are not known here are text. */
export function postgresParser(oid: number): Parser {
  const element = ELEMENTS[oid];
  if (element === undefined) return scalars[oid] ?? asWritten;
  const parse = scalars[element] ?? asWritten;
  return (text) => parseArray(text, parse);
}

/** The name of a type whose values are bytes. */
export function binaryTypeOf(oid: number): string | undefined {
  return oid === BYTEA || oid === 1001 ? 'bytea' : undefined;
}

function toInteger(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** JSON has no NaN and no infinity, and would make them null. */
function toFloat(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/** `2026-11-24 10:00:00+00` in a session whose zone is UTC. What has no place in ISO 8601 (infinity, BC) stays as it is. */
function toIso(text: string, zone: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d) ([\d:.]+)(?:\+00)?$/.exec(text) ?? [];
  return day && time ? `${day}T${time}${zone || 'Z'}` : text;
}
