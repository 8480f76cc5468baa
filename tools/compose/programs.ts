/** The programs that `docker compose up` needs without a registry; Go builds them into our cache. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildWithGo, isExecutable, onPath } from '../../src/embedded/go-build.ts';
import { cacheDir, temporalBinary } from '../../src/embedded/temporal-binary.ts';

const TEMPORAL = 'go.temporal.io/server';
/** Named like the images in docker-compose.yml. */
export const TEMPORAL_VERSION = '1.29.1';
export const UI_VERSION = '2.42.1';
const UI = 'github.com/temporalio/ui-server/v2';
const COMPOSE = 'github.com/docker/compose/v2';
const COMPOSE_VERSION = 'v2.40.3';
const DOWNLOAD_MS = 5 * 60_000;

export type Programs = {
  /** A standalone program that takes the same commands as `docker compose`. */
  readonly compose: string;
  /** The command line. */
  readonly temporal: string;
  readonly temporalServer: string;
  readonly temporalSqlTool: string;
  readonly uiServer: string;
  /** The sources of Temporal and of its Web UI, for their settings. */
  readonly temporalSource: string;
  readonly uiSource: string;
};

type Progress = (line: string) => void;

/**
 * Builds only the compose program.
 * @throws Error that says what to install
 */
export async function composeProgram(onProgress: Progress): Promise<string> {
  return await built(`docker-compose-${COMPOSE_VERSION}`, '3 minutes', onProgress, {
    cwd: import.meta.dirname, // this go.mod pins the versions of its other modules
    env: { GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    goArguments: (folder) => {
      const flags = `-s -w -X ${COMPOSE}/internal.Version=${COMPOSE_VERSION}`;
      const file = path.join(folder, `docker-compose-${COMPOSE_VERSION}`);
      return ['build', '-ldflags', flags, '-o', file, `${COMPOSE}/cmd`];
    },
  });
}

/**
 * Builds all programs; about 10 minutes the first time.
 * @throws Error that says what to install
 */
export async function composePrograms(onProgress: Progress): Promise<Programs> {
  return {
    compose: await composeProgram(onProgress),
    temporal: await temporalBinary(onProgress),
    temporalServer: await installed(
      'temporal-server',
      `${TEMPORAL}/cmd/server@v${TEMPORAL_VERSION}`,
      onProgress,
    ),
    temporalSqlTool: await installed(
      'temporal-sql-tool',
      `${TEMPORAL}/cmd/tools/sql@v${TEMPORAL_VERSION}`,
      onProgress,
    ),
    uiServer: await installed('ui-server', `${UI}/cmd/server@v${UI_VERSION}`, onProgress),
    temporalSource: await source(`${TEMPORAL}@v${TEMPORAL_VERSION}`),
    uiSource: await source(`${UI}@v${UI_VERSION}`),
  };
}

/** @param goPackage with its version */
function installed(name: string, goPackage: string, onProgress: Progress): Promise<string> {
  return built(`${name}-${goPackage.split('@').at(-1) ?? ''}`, '2 minutes', onProgress, {
    builtAs: path.basename(goPackage.split('@')[0] ?? ''), // the name that Go gives it
    goArguments: () => ['install', '-ldflags', '-s -w', goPackage],
  });
}

type Way = Pick<Parameters<typeof buildWithGo>[0], 'goArguments' | 'builtAs' | 'cwd' | 'env'>;

async function built(name: string, usually: string, onProgress: Progress, way: Way): Promise<string> {
  const bin = path.join(cacheDir(), 'compose');
  const file = path.join(bin, name);
  if (isExecutable(file)) return file;
  return await buildWithGo({ ...way, go: go(), bin, name, label: `building ${name}`, usually, onProgress });
}

/** The folder of a module's source. */
async function source(module: string): Promise<string> {
  const args = ['mod', 'download', '-json', module];
  const { stdout } = await promisify(execFile)(go(), args, { timeout: DOWNLOAD_MS });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

function go(): string {
  const found = onPath('go');
  if (found === undefined)
    throw new Error('Go is not on PATH: install Go 1.26 or later from https://go.dev/dl');
  return found;
}

if (import.meta.main) {
  try {
    console.log(await composeProgram((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
