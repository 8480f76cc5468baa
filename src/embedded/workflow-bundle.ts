/** Has the workflows bundled by a process of its own before a worker is started. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mallocSettings } from './malloc.ts';

const LIMIT_MS = 120_000;

/**
 * What the worker's environment needs to take the bundle, and to keep little memory.
 * @param script src/workflow-bundle.ts
 * @throws Error with what the bundler said
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
    throw new Error(`the workflows could not be bundled: ${stderr.trim().slice(-500)}`, { cause });
  }
  return { WORKFLOW_BUNDLE: file, ...mallocSettings() };
}
