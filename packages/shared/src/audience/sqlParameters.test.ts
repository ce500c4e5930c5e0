import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareSql, type SqlDialect, SqlParameterError } from './sqlParameters.js';

const AT = { postgres: '($1::timestamptz)', mysql: 'CAST(? AS DATETIME(3))' };

/** What holds `:scheduled_at` without being a parameter. */
const UNTOUCHED: Record<SqlDialect, string[]> = {
  postgres: [
    "':scheduled_at'",
    "'it''s :scheduled_at'",
    "E'\\' :scheduled_at'",
    '":scheduled_at"',
    '$$ :scheduled_at $1 $$',
    "$body$ ' :scheduled_at $$ $body$",
    '-- :scheduled_at $1\n',
    '/* :scheduled_at /* nested */ :scheduled_at */',
    'x::scheduled_at',
    "'a\\'",
    'tags[1:run]',
    'tags[lower(x):run]',
    "data ? 'key'",
    'a$1',
  ],
  mysql: [
    "':scheduled_at ?'",
    "'it\\'s :scheduled_at'",
    '"\\" :scheduled_at"',
    '`:scheduled_at`',
    '-- :scheduled_at ?\n',
    '# :scheduled_at\n',
    '/* :scheduled_at ? */',
    '@x := 1',
  ],
};

describe.each(['postgres', 'mysql'] as const)('named parameters for %s', (dialect) => {
  it.each(UNTOUCHED[dialect])('leave %j alone', (text) => {
    expect(prepareSql(`select ${text} `, dialect)).toEqual({ text: `select ${text} `.trimEnd(), names: [] });
  });

  it('become placeholders wherever else they stand, and nothing else changes', () => {
    const untouched = fc.constantFrom(...UNTOUCHED[dialect], 'select', '\n', ' ( ', ' - ', ' /2/ ', '"é"');
    const piece = fc.oneof(untouched, fc.constant(':scheduled_at'));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        // Spaces, because pieces that meet may be something else together.
        const { text, names } = prepareSql(pieces.join(' '), dialect);
        const isParameter = (each: string) => each === ':scheduled_at';
        const expected = pieces.map((each) => (isParameter(each) ? AT[dialect] : each)).join(' ');
        expect(text).toBe(expected.trimEnd());
        const uses = pieces.filter(isParameter).length;
        expect(names).toHaveLength(dialect === 'mysql' ? uses : Math.min(uses, 1));
        expect(text.split('\n').length).toBe(expected.trimEnd().split('\n').length);
      }),
    );
  });

  it('are refused by name and line when there are none of the kind', () => {
    const sql = "select ':no'\nfrom t\nwhere at > :sheduled_at";
    expect(() => prepareSql(sql, dialect)).toThrow(
      expect.objectContaining({
        line: 3,
        reason: ':sheduled_at: there is no such parameter, did you mean "scheduled_at"?',
      }),
    );
    expect(() => prepareSql('select :x', dialect)).toThrow('known are :scheduled_at, :campaign, :run');
  });

  it('take their place from those without a name, which are refused', () => {
    const sql = dialect === 'postgres' ? 'select $1' : 'select ?';
    expect(() => prepareSql(sql, dialect)).toThrow(SqlParameterError);
  });
});

it('are numbered as often as the server wants a value', () => {
  const sql = 'select :run, :campaign where :run <> :campaign;\n';
  expect(prepareSql(sql, 'postgres')).toEqual({
    text: 'select ($1::text), ($2::text) where ($1::text) <> ($2::text)',
    names: ['run', 'campaign'],
  });
  expect(prepareSql(sql, 'mysql').names).toEqual(['run', 'campaign', 'run', 'campaign']);
});
