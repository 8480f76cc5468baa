import { defineConfig } from 'vitest/config';
import { useCompileCache } from './test/support/compile-cache.ts';
import { LongestFirst } from './test/support/longest-first.ts';

useCompileCache();

/** Options of all projects; with the same number of workers, the projects of one run share them. */
const common = {
  /** A machine that is busy with other work needs more than the second that is the default. */
  expect: { poll: { timeout: 15_000 } },
  testTimeout: 90_000,
  hookTimeout: 90_000,
  /** More than there are CPUs, for most tests wait more than they compute. */
  maxWorkers: 4,
};
const SERVERS = 'test/support/global-setup.ts';

/**
 * Projects by the cost that stands in a test file's name: `unit` needs Node alone; `pg` needs one real Postgres and one
 * real Temporal (its `.page` files drive Chromium besides); `k8s` a real control plane too; `image` builds the image,
 * which needs root and Debian's tools.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...common, name: 'unit', include: ['test/**/*.unit.test.ts'] } },
      { test: { ...common, name: 'pg', include: ['test/**/*.{pg,page}.test.ts'], globalSetup: [SERVERS] } },
      {
        test: {
          ...common,
          name: 'k8s',
          include: ['test/**/*.k8s.test.ts'],
          globalSetup: [SERVERS, 'test/support/cluster-setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'image',
          include: ['test/**/*.image.test.ts'],
          globalSetup: [SERVERS, 'test/support/image-setup.ts'],
          maxWorkers: 1,
        },
      },
    ],
    coverage: { include: ['src/**', 'workflows/**', 'activities/**'], reporter: ['text-summary', 'html'] },
  },
});
