import { defineConfig } from 'vitest/config';

/** Two projects: `check` needs nothing but Node; `test` starts a real Postgres and a real Temporal once. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'check',
          include: ['test/domain/**/*.test.ts', 'test/check/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'test',
          include: ['test/**/*.test.ts'],
          exclude: ['test/domain/**', 'test/check/**'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
    coverage: { include: ['src/**', 'workflows/**', 'activities/**'], reporter: ['text-summary', 'html'] },
  },
});
