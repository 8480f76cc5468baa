/** Finds versitygw in our cache, or builds it there with Go; alone: `node test/support/s3/s3-program.ts`. */
import path from 'node:path';
import { buildWithGo, isExecutable, onPath } from '../../../src/embedded/go-build.ts';
import { cacheDir, type Progress } from '../../../src/embedded/temporal-binary.ts';

const VERSION = 'v1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;

/** @throws Error that says what to install */
export async function s3Program(onProgress: Progress): Promise<string> {
  const bin = path.join(cacheDir(), 'bin');
  const name = `versitygw-${VERSION}`;
  const cached = path.join(bin, name);
  if (isExecutable(cached)) return cached;
  const go = onPath('go');
  if (go === undefined)
    throw new Error('the tests of S3 need Go on PATH: install Go 1.26 or later from https://go.dev/dl');
  return await buildWithGo({
    go,
    bin,
    name,
    builtAs: 'versitygw',
    goArguments: () => ['install', '-ldflags', '-s -w', MODULE],
    label: `go install ${MODULE}`,
    usually: '2 minutes',
    onProgress,
  });
}

if (import.meta.main) {
  try {
    console.log(await s3Program((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
