/**
 * Mailchimp's export of an audience: a ZIP of CSV files, one for each kind of contact, which is told by the file's name
 * (`subscribed_…`, `unsubscribed_…`, `cleaned_…`, `nonsubscribed_…`) or by the columns that only that kind has.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readCsvTable, toFieldName } from '../audience/index.js';
import { messageOf, UsageError } from '../runtime/index.js';
import { type PersonRow, parseTime, type ReadPerson, type Standing, toPerson } from './people.js';

const ADDRESS = 'Email Address';

/** Those who must not be mailed come first: who is in several files is not. */
const KINDS = ['cleaned', 'unsubscribed', 'nonsubscribed', 'subscribed'] as const;
type Kind = (typeof KINDS)[number];

/** Mailchimp's own of a contact: where it was, when it came. Fields of the audience are all other columns, and TAGS. */
const OWN_COLUMNS =
  /^(MEMBER_RATING|OPTIN_(TIME|IP)|CONFIRM_(TIME|IP)|LATITUDE|LONGITUDE|GMTOFF|DSTOFF|TIMEZONE|CC|REGION|LAST_CHANGED|LEID|EUID|NOTES|UNSUB_.*|CLEAN_.*)$/;

/** @param paths CSV files, or folders of them. */
export async function* readMailchimp(paths: readonly string[]): AsyncGenerator<PersonRow> {
  const files = (await Promise.all(paths.map(csvFilesOf))).flat();
  for (const kind of [...KINDS, undefined])
    for (const file of files.filter((each) => kindOf(each) === kind))
      for await (const row of readCsvTable(file, { requiredColumns: columnsOf(kind) }))
        yield toPerson(file, row, ADDRESS, (cells) => readContact(cells, kind));
}

async function csvFilesOf(path: string): Promise<string[]> {
  if (/\.zip$/i.test(path)) throw new UsageError(`${path}: unzip it first, and name the folder.`);
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /\.csv$/i.test(name)).sort();
    if (names.length === 0) throw new UsageError(`${path}: there is no CSV file in it.`);
    return names.map((name) => join(path, name));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

function kindOf(file: string): Kind | undefined {
  return KINDS.find((kind) => basename(file).toLowerCase().startsWith(`${kind}_`));
}

/** Without a kind the rows have to tell: nobody is mailed who may have left. */
function columnsOf(kind: Kind | undefined): string[] {
  return kind ? [ADDRESS] : [ADDRESS, 'UNSUB_TIME', 'CLEAN_TIME'];
}

function readContact(cells: ReadonlyMap<string, string>, kind: Kind | undefined): ReturnType<ReadPerson> {
  return { fields: fieldsOf(cells), standing: standingOf(kind ?? kindOfRow(cells), cells) };
}

function kindOfRow(cells: ReadonlyMap<string, string>): Kind {
  if (cells.get('CLEAN_TIME')) return 'cleaned';
  return cells.get('UNSUB_TIME') ? 'unsubscribed' : 'subscribed';
}

function standingOf(kind: Kind, cells: ReadonlyMap<string, string>): Standing {
  switch (kind) {
    case 'subscribed':
      return { kind: 'mailable' };
    case 'nonsubscribed':
      return { kind: 'left out', why: 'never subscribed' };
    case 'cleaned':
      return { kind: 'suppressed', reason: 'bounce', since: parseTime(cells.get('CLEAN_TIME')) };
    case 'unsubscribed': {
      const isComplaint = /spam|abuse|complain/i.test(cells.get('UNSUB_REASON') ?? '');
      const reason = isComplaint ? 'complaint' : 'unsubscribe';
      return { kind: 'suppressed', reason, since: parseTime(cells.get('UNSUB_TIME')) };
    }
  }
}

function fieldsOf(cells: ReadonlyMap<string, string>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [column, value] of cells) {
    const name = toFieldName(column);
    if (column === ADDRESS || name === '' || OWN_COLUMNS.test(column)) continue;
    fields[name] = column === 'TAGS' ? tagsOf(value) : value;
  }
  return fields;
}

/** `"VIP","Blog"` */
function tagsOf(cell: string): string[] {
  return [...cell.matchAll(/"([^"]*)"|([^",]+)/g)].map(([, quoted, plain]) => (quoted ?? plain ?? '').trim());
}
