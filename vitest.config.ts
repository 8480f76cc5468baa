import { defineConfig } from 'vitest/config';

/**
 * `check` needs nothing but Node; `test` starts a real Postgres and a real Temporal once; `kubernetes` a real control
 * plane besides; `deploy` builds the image instead, which takes root and Debian's tools.
 */
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
          exclude: ['test/domain/**', 'test/check/**', 'test/kubernetes/**', 'test/deploy/**'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'kubernetes',
          include: ['test/kubernetes/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts', 'test/support/cluster-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts', 'test/support/image-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
        },
      },
    ],
    coverage: { include: ['src/**', 'workflows/**', 'activities/**'], reporter: ['text-summary', 'html'] },
  },
});
