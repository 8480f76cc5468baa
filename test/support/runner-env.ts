/** The ground that steps run on in a test: processes of this machine, or pods of a real control plane. */
import { endAllSteps } from '../../src/runner/process/end-all.ts';
import { createProcessRunner } from '../../src/runner/process/process-runner.ts';
import type { Runner } from '../../src/runner/runner.ts';

export type Ground = {
  readonly name: 'process' | 'kubernetes';
  /** Settings of api and worker. */
  readonly environment: Readonly<Record<string, string>>;
  /** To see what runs, and to plant what another worker would have started. */
  runner(installation: string): Runner;
  dispose(): Promise<void>;
};

export function processGround(dataDir: string): Ground {
  return {
    name: 'process',
    environment: {},
    runner: (installation) => createProcessRunner({ dataDir, installation }),
    async dispose() {
      await endAllSteps(dataDir, 0);
    },
  };
}
