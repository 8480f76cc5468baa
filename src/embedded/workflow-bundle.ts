/** Has the workflows bundled by a process of its own before a worker is started. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const LIMIT_MS = 120_000;

/**
 * What the worker's environment needs to take the bundle, and to keep little memory: by default glibc has eight arenas
 * a core, which fragment under Temporal's threads, and keeps what was freed.
 * @param script src/workflow-bundle.ts
 * @throws Error with what the bundler said
 */
export async function bundleForWorker(
  script: string,
  file: string,
  signal?: AbortSignal,
): Promise<Record<'WORKFLOW_BUNDLE' | 'MALLOC_ARENA_MAX' | 'MALLOC_TRIM_THRESHOLD_', string>> {
  try {
    await promisify(execFile)(process.execPath, [script, file], {
      timeout: LIMIT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string };
    throw new Error(`the workflows could not be bundled: ${stderr.trim().slice(-500)}`, { cause });
  }
  const { MALLOC_ARENA_MAX = '2', MALLOC_TRIM_THRESHOLD_ = '131072' } = process.env;
  return { WORKFLOW_BUNDLE: file, MALLOC_ARENA_MAX, MALLOC_TRIM_THRESHOLD_ };
}
