import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests run on the sources of every package, not on what was compiled from them.
  resolve: { conditions: ['@sendonce/source'] },
  ssr: { resolve: { conditions: ['@sendonce/source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['{apps,packages,bench}/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/dist/**', '**/node_modules/**'],
    globalSetup: 'tests/setup/globalSetup.ts',
    reporters: ['default', './tests/setup/closingLine.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
