/** Finds the control plane's programs in our cache, or builds them there with Go; alone: `node tools/cluster/binaries.ts`. */
import path from 'node:path';
import { buildWithGo, isExecutable, onPath } from '../../src/embedded/go-build.ts';
import { cacheDir, type Progress } from '../../src/embedded/temporal-binary.ts';
import { BUILD_PLACE, KUBERNETES_VERSION, type Program, PROGRAMS, REAL_NODE_PROGRAMS } from './builds.ts';

/** The folder of this version's programs, whether or not they exist yet. */
export function binariesDir(env: NodeJS.ProcessEnv = process.env): string {
  return path.join(cacheDir(env), 'cluster', KUBERNETES_VERSION);
}

/**
 * Builds missing programs; the first call on a machine takes about 7 minutes, and says so. Two callers may build at
 * the same time without harm.
 * @returns the folder with all programs
 * @throws Error that says what to install
 */
export async function clusterBinaries(
  onProgress: Progress = () => undefined,
  env: NodeJS.ProcessEnv = process.env,
  signal?: AbortSignal,
  programs: readonly Program[] = PROGRAMS,
): Promise<string> {
  const bin = binariesDir(env);
  const missing = programs.filter((program) => !isExecutable(path.join(bin, program.name)));
  if (missing.length === 0) return bin;
  const go = onPath('go', env);
  if (go === undefined)
    throw new Error(
      `cannot build ${missing.map((program) => program.name).join(', ')} without Go on PATH: install Go 1.26 or later from https://go.dev/dl`,
    );
  for (const [index, program] of missing.entries()) {
    signal?.throwIfAborted();
    if (isExecutable(path.join(bin, program.name))) continue; // another builder was faster
    const label = `building ${program.name}, ${index + 1} of ${missing.length}`;
    await buildWithGo({ ...program, ...BUILD_PLACE, go, bin, label, onProgress, signal });
  }
  return bin;
}

if (import.meta.main) {
  try {
    const all = [...PROGRAMS, ...REAL_NODE_PROGRAMS];
    console.log(await clusterBinaries((line) => console.error(line), process.env, undefined, all));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
