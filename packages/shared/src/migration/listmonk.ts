/**
 * listmonk's export of subscribers. It says who is blocklisted, and not who has left a list: those are exported by
 * themselves (the same export with `subscription_status=unsubscribed`), and their file is named as that.
 * https://github.com/knadh/listmonk/blob/master/cmd/subscribers.go
 */
import { readCsvTable, toFieldName } from '../audience/index.js';
import { type PersonRow, parseTime, type ReadPerson, type Standing, toPerson } from './people.js';

const COLUMNS = ['email', 'name', 'attributes', 'status'];

export interface ListmonkExport {
  files: readonly string[];
  /** Exports of those who have left the list. */
  unsubscribed: readonly string[];
}

export async function* readListmonk({ files, unsubscribed }: ListmonkExport): AsyncGenerator<PersonRow> {
  // First, so that who is in both is not mailed.
  yield* readFiles(unsubscribed, readUnsubscribed);
  yield* readFiles(files, readSubscriber);
}

async function* readFiles(files: readonly string[], read: ReadPerson): AsyncGenerator<PersonRow> {
  for (const file of files)
    for await (const row of readCsvTable(file, { requiredColumns: COLUMNS }))
      yield toPerson(file, row, 'email', read);
}

/** Blocklisting is stronger, and outlasts a change of mind. */
const readUnsubscribed: ReadPerson = (cells) => {
  const standing = standingOf(cells);
  if (standing?.kind === 'suppressed') return { fields: {}, standing };
  const since = parseTime(cells.get('updated_at'));
  return { fields: {}, standing: { kind: 'suppressed', reason: 'unsubscribe', since } };
};

const readSubscriber: ReadPerson = (cells) => {
  const standing = standingOf(cells);
  if (!standing) return 'the status is none of enabled, disabled, blocklisted';
  const attributes = parseAttributes(cells.get('attributes') ?? '');
  if (!attributes) return 'the attributes are no JSON object';
  return { fields: { ...attributes, name: cells.get('name') ?? '' }, standing };
};

function standingOf(cells: ReadonlyMap<string, string>): Standing | undefined {
  switch (cells.get('status')) {
    case 'enabled':
      return { kind: 'mailable' };
    case 'disabled':
      return { kind: 'left out', why: 'disabled' };
    case 'blocklisted':
      // By an operator, by bounces, or by the recipient: listmonk does not say.
      return { kind: 'suppressed', reason: 'import', since: parseTime(cells.get('updated_at')) };
    default:
      return undefined;
  }
}

function parseAttributes(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const fields = Object.entries(value).map(([key, each]): [string, unknown] => [toFieldName(key), each]);
    return Object.fromEntries(fields.filter(([name]) => name !== ''));
  } catch {
    return undefined;
  }
}
