import { readFileSync } from 'node:fs';

interface Package {
  version: string;
}

/** Of this release, as package.json has it. */
export const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Package;
