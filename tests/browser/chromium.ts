/**
 * A real browser for tests: the Chromium of this machine. Where there is none the tests are skipped, visibly; in CI that is a
 * failure. `CHROMIUM_PATH` names another one.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const ARGUMENTS = [
  // In containers there is no user to whom the sandbox could belong.
  '--no-sandbox',
  // Headless, it would say so, and be taken for a scanner.
  '--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
];

const executablePath = process.env.CHROMIUM_PATH ?? findOnPath();

/** A `describe` whose tests get a browser, opened when the first of them asks. */
export function describeInBrowser(name: string, tests: (openBrowser: () => Promise<Browser>) => void): void {
  if (!executablePath) {
    const title = `${name}: no Chromium on this machine (apt install chromium, or CHROMIUM_PATH)`;
    const missing = it.skipIf(!process.env.CI);
    return void missing(title, () => expect(executablePath, 'a Chromium on the PATH').toBeDefined());
  }
  describe(name, () => {
    let browser: Promise<Browser> | undefined;
    afterAll(async () => (await browser)?.close());
    tests(() => {
      browser ??= chromium.launch({ executablePath, args: ARGUMENTS });
      return browser;
    });
  });
}

function findOnPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
