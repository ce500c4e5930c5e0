/**
 * Makes the sample audience: the same 5,000 people every time. All of them are at example.com, example.org and example.net,
 * which belong to nobody (RFC 2606).
 *
 *   node scripts/makeRecipients.mjs [COUNT] > campaigns/daily-notification/recipients.csv
 */
import { stdout } from 'node:process';

const FIRST_NAMES = [
  'Ada',
  'Björn',
  'Chloé',
  'Dmitri',
  'Elif',
  'Femi',
  'Grażyna',
  'Hiro',
  'Inés',
  'Jürgen',
  'Kaya',
  'Léa',
  'Mei',
  'Noah',
  '',
];
const LAST_NAMES = [
  'Lovelace',
  'Söderberg',
  'Martin',
  'Ivanov',
  'Yılmaz',
  'Adeyemi',
  'Nowak',
  'Sato',
  'García',
  'Müller',
  "O'Brien",
  'Dubois',
];
const COMPANIES = ['Nimbus Labs', 'Harbour, Finch & Sons', 'The "Quiet" Company', 'Ostrea GmbH', ''];
const PACKAGES = [
  ['haml', '3.1.2'],
  ['puma', '7.0.4'],
  ['sinatra', '4.2.0'],
  ['nokogiri', '1.19.1'],
  ['rack', '3.2.3'],
];
const DOMAINS = ['example.com', 'example.org', 'example.net'];

/** A small linear congruential generator (Numerical Recipes): the file must be the same on every machine. */
function makeRandom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** RFC 4180. */
function cell(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const count = Number(process.argv[2] ?? 5_000);
const random = makeRandom(20_261_123);
const pick = (list) => list[random(list.length)];
stdout.write('email,first_name,last_name,company,package,version\r\n');
for (let number = 1; number <= count; number++) {
  const lastName = pick(LAST_NAMES);
  const local = `${lastName
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase()}.${number}`;
  const row = [`${local}@${pick(DOMAINS)}`, pick(FIRST_NAMES), lastName, pick(COMPANIES), ...pick(PACKAGES)];
  stdout.write(`${row.map(cell).join(',')}\r\n`);
}
