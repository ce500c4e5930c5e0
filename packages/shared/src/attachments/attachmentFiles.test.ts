import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkAttachment, readAttachments } from './index.js';

/** A campaign's folder, beside one with a file that is not the campaign's. */
function setup() {
  const root = mkdtempSync(join(tmpdir(), 'sendonce-files-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const dir = join(root, 'news');
  mkdirSync(dir);
  mkdirSync(join(root, 'news-secret'));
  writeFileSync(join(root, 'news-secret', 'key.txt'), 'secret');
  const write = (name: string, content: string | Buffer = 'x') => writeFileSync(join(dir, name), content);
  const check = (file: string, options: { name?: string; isPicture?: boolean } = {}) =>
    checkAttachment(dir, { file, isPicture: false, ...options });
  return { check, dir, root, write };
}

const OUTSIDE = { problem: expect.stringContaining('outside of the campaign’s folder') };

test('nothing outside of the folder goes along, by no way and by no link', async () => {
  const { check, dir, root } = setup();
  symlinkSync(join(root, 'news-secret', 'key.txt'), join(dir, 'link.txt'));
  symlinkSync(join(root, 'news-secret'), join(dir, 'folder'));
  for (const file of [
    '../news-secret/key.txt',
    join(root, 'news-secret', 'key.txt'),
    'link.txt',
    'folder/key.txt',
    'folder/../../news-secret/key.txt',
  ])
    expect(await check(file), file).toEqual(OUTSIDE);
  expect(await check('..', { name: 'a.txt' })).toEqual(OUTSIDE);
});

test('a link within the folder may be followed: volumes of containers are made of them', async () => {
  const { check, dir } = setup();
  mkdirSync(join(dir, '..data'));
  writeFileSync(join(dir, '..data', 'terms.txt'), 'x');
  symlinkSync(join('..data', 'terms.txt'), join(dir, 'terms.txt'));
  expect(await check('terms.txt')).toMatchObject({ name: 'terms.txt', size: 1 });
});

test('what is no file is refused, and not waited for', async () => {
  const { check, dir } = setup();
  mkdirSync(join(dir, 'folder.txt'));
  execFileSync('env', ['mkfifo', join(dir, 'pipe.txt')]);
  expect(await check('folder.txt')).toEqual({ problem: 'this is no file' });
  expect(await check('pipe.txt')).toEqual({ problem: 'this is no file' });
});

test.each<[string, { name?: string; isPicture?: boolean }, string]>([
  ['empty.txt', {}, 'the file is empty'],
  ['large.txt', {}, 'the file has 10.0 MB, and one may have 10.0 MB'],
  ['missing.txt', {}, 'there is no such file'],
  ['a.txt', { name: 'Setup.EXE' }, 'SES sends no .exe files'],
  ['a.txt', { name: 'terms' }, 'the name terms has no extension, which SES asks for'],
  ['a.txt', { name: 'a/b.txt' }, 'the name can’t be used'],
  ['a.txt', { isPicture: true }, 'this is no picture'],
])('%s %j is refused', async (file, options, problem) => {
  const { check, write } = setup();
  write('a.txt');
  write('empty.txt', '');
  write('large.txt', Buffer.alloc(10_000_001));
  expect(await check(file, options)).toMatchObject({ problem });
});

test('the type comes from the name, and bytes that nobody knows are bytes', async () => {
  const { check, write } = setup();
  write('a');
  const typeOf = async (name: string) =>
    ((await check('a', { name })) as { contentType: string }).contentType;
  expect(await typeOf('a.ics')).toBe('text/calendar; charset=utf-8');
  expect(await typeOf('a.pdf')).toBe('application/pdf');
  expect(await typeOf('a.whatever')).toBe('application/octet-stream');
});

test('a file that is another one than before is noticed, when it is checked and when it is read', async () => {
  const { check, dir, write } = setup();
  write('a.txt', 'one');
  const before = await check('a.txt');
  if ('problem' in before) throw new Error(before.problem);
  expect([...(await readAttachments(dir, [before])).values()].map(String)).toEqual(['one']);
  write('a.txt', 'two');
  await expect(readAttachments(dir, [before])).rejects.toThrow(/a\.txt has changed/);
  expect(await check('a.txt')).not.toMatchObject({ hash: before.hash });
  rmSync(join(dir, 'a.txt'));
  await expect(readAttachments(dir, [before])).rejects.toThrow(/a\.txt: there is no such file/);
});
