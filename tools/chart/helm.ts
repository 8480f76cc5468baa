/** Finds the `helm` program on PATH or in our cache, or builds it there with Go; alone: `node tools/chart/helm.ts`. */
import path from 'node:path';
import { buildWithGo, isExecutable, onPath } from '../../src/embedded/go-build.ts';
import { cacheDir, type Progress } from '../../src/embedded/temporal-binary.ts';

const MODULE = 'helm.sh/helm/v4/cmd/helm@v4.3.1';

/** @throws Error that says what to install */
export async function helmBinary(onProgress: Progress = () => undefined): Promise<string> {
  const bin = path.join(cacheDir(), 'bin');
  const cached = path.join(bin, 'helm');
  const present = onPath('helm') ?? (isExecutable(cached) ? cached : undefined);
  if (present !== undefined) return present;
  const go = onPath('go');
  if (go === undefined)
    throw new Error(
      'no helm program: put helm 4 on PATH, or install Go 1.26 or later from https://go.dev/dl',
    );
  return await buildWithGo({
    go,
    bin,
    name: 'helm',
    goArguments: () => ['install', MODULE],
    label: `go install ${MODULE}`,
    usually: '3 minutes',
    onProgress,
  });
}

if (import.meta.main) {
  try {
    console.log(await helmBinary((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
