/** Bundles the workflows in a separate process before a worker starts. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mallocSettings } from './malloc.ts';

const LIMIT_MS = 120_000;

/**
 * Returns the worker's environment variables for the bundle and for low memory use.
 * @param script src/workflow-bundle.ts
 * @throws Error with the bundler's output
 */
export async function bundleForWorker(
  script: string,
  file: string,
  signal?: AbortSignal,
): Promise<{ WORKFLOW_BUNDLE: string } & ReturnType<typeof mallocSettings>> {
  try {
    await promisify(execFile)(process.execPath, [script, file], {
      timeout: LIMIT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string };
    throw new Error(`cannot bundle the workflows: ${stderr.trim().slice(-500)}`, { cause });
  }
  return { WORKFLOW_BUNDLE: file, ...mallocSettings() };
}
