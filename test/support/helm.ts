/** Runs helm on a test's cluster, with its own folders. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { helmBinary } from '../../tools/chart/helm.ts';

export const CHART = path.resolve(import.meta.dirname, '../../deploy/chart');
/** Longer than any `--timeout` that a test passes. */
const DEADLINE_MS = 300_000;

export type Helm = AsyncDisposable & {
  /**
   * @returns its output
   * @throws Error with its message if it fails
   */
  run(...args: string[]): Promise<string>;
};

/** @param kubeconfig the administrator's */
export async function createHelm(kubeconfig: string): Promise<Helm> {
  const helm = await helmBinary((line) => console.log(`[helm] ${line}`));
  const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-helm-'));
  return {
    async run(...args) {
      const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: kubeconfig };
      const limits = { timeout: DEADLINE_MS, maxBuffer: 16 * 1024 * 1024 };
      return (await promisify(execFile)(helm, args, { env, ...limits })).stdout;
    },
    async [Symbol.asyncDispose]() {
      rmSync(home, { recursive: true, force: true });
    },
  };
}
