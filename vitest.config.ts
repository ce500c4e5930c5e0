import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Process tests start up to six processes each, and wait a good part of the time: three files at once keep two cores busy. */
const maxWorkers = 2 + Math.floor(availableParallelism() / 2);

export default defineConfig({
  // Tests run on the sources of every package, not on what was compiled from them.
  resolve: { conditions: ['@sendonce/source'] },
  // Nothing but ours is added here: Vitest hands these on to Node, where they hold for `require` as well.
  ssr: { resolve: { conditions: ['@sendonce/source', 'node'] } },
  test: {
    include: ['{apps,packages,bench}/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'scripts/**/*.test.mjs'],
    exclude: ['**/dist/**', 'dist-bench/**', 'dist-tests/**', '**/node_modules/**'],
    globalSetup: 'tests/setup/globalSetup.ts',
    reporters: ['default', './tests/setup/closingLine.ts'],
    maxWorkers,
    // For what hangs. A machine that does other things as well takes five times as long, and is not to be told apart from it sooner.
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
