/**
 * What the values of MySQL and MariaDB become as merge fields; the same rules as PostgreSQL's. The driver keeps DECIMAL as text
 * with its digits, and BIGINT beyond 2⁵³ as text, parses JSON, and gives times as text.
 */
import type { FieldPacket } from 'mysql2';
import mysql from 'mysql2';

type Convert = (value: unknown) => unknown;

const { Types } = mysql;
/** The character set of what is no text. */
const BINARY = 63;
const TEXTS_OR_BYTES: ReadonlySet<number> = new Set([
  Types.BLOB,
  Types.LONG_BLOB,
  Types.MEDIUM_BLOB,
  Types.STRING,
  Types.TINY_BLOB,
  Types.VAR_STRING,
  Types.VARCHAR,
]);

export type MysqlField = Pick<FieldPacket, 'name'> & {
  columnType?: number | undefined;
  columnLength?: number | undefined;
  characterSet?: number | undefined;
};

/** The name of a type whose values are bytes. */
export function binaryTypeOf({
  columnType = -1,
  columnLength,
  characterSet,
}: MysqlField): string | undefined {
  if (columnType === Types.GEOMETRY) return 'geometry';
  if (columnType === Types.BIT) return columnLength === 1 ? undefined : 'bit';
  return characterSet === BINARY && TEXTS_OR_BYTES.has(columnType) ? 'binary' : undefined;
}

/** Undefined: the driver's value is right. */
export function mysqlConverter({ columnType, columnLength }: MysqlField): Convert | undefined {
  switch (columnType) {
    // BOOLEAN is an alias of it, and 0 would be true in Liquid.
    case Types.TINY:
      return columnLength === 1 ? toBoolean : undefined;
    case Types.BIT:
      return (value) => (Buffer.isBuffer(value) ? value[0] === 1 : toBoolean(value));
    case Types.DATETIME:
    case Types.TIMESTAMP:
      return toIso;
    default:
      return undefined;
  }
}

function toBoolean(value: unknown): unknown {
  return value === null ? null : Number(value) !== 0;
}

/** `2026-11-24 10:00:00` in a session whose zone is UTC. `0000-00-00 00:00:00`, which is no time, stays as it is. */
function toIso(value: unknown): unknown {
  const [, day, time] = /^(?!0000)(\d{4}-\d\d-\d\d) ([\d:.]+)$/.exec(String(value)) ?? [];
  return day && time ? `${day}T${time}Z` : value;
}
