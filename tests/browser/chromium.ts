/** A real browser for tests. Where there is none they are skipped, visibly; in CI that is a failure. */
import { type Browser, chromium } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { CHROMIUM_ARGUMENTS, findChromium } from './findChromium.js';

const executablePath = findChromium();

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
      browser ??= chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
      return browser;
    });
  });
}
