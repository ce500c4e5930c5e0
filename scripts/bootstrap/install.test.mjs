import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { fingerprint } from './install.mjs';

const folders = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-install-'));
  folders.push(folder);
  for (const name of ['apps/worker', 'packages/shared']) mkdirSync(join(folder, name), { recursive: true });
  const write = (file, content) => writeFileSync(join(folder, file), content);
  write('package.json', '{}');
  write('pnpm-lock.yaml', 'lockfileVersion: 9');
  write('pnpm-workspace.yaml', 'packages: []');
  write('apps/worker/package.json', '{"name":"worker"}');
  write('packages/shared/package.json', '{"name":"shared"}');
  return { folder, write };
}

it('nothing is installed again while nothing has changed', () => {
  const { folder, write } = setup();
  const before = fingerprint(folder);
  write('apps/worker/index.ts', 'export {};');
  expect(fingerprint(folder)).toBe(before);
});

it.each(['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'packages/shared/package.json'])(
  'another %s is installed',
  (file) => {
    const { folder, write } = setup();
    const before = fingerprint(folder);
    write(file, '{"changed":true}');
    expect(fingerprint(folder)).not.toBe(before);
  },
);

it('another Node installs again, because some packages are chosen for it', () => {
  const { folder } = setup();
  expect(fingerprint(folder, 'v20.19.0')).not.toBe(fingerprint(folder, 'v24.0.0'));
});
