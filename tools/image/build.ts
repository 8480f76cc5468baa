/** Builds the unchanged deploy/Dockerfile, and writes the image to a file that any container engine can load. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureBase } from './base.ts';
import { buildah, buildahLong } from './buildah.ts';
import { checkNeeds } from './requirements.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const DEADLINE_MS = 15 * 60_000;
/** Stages tagged with names, so that pruning afterwards keeps them for the next build. */
const KEPT_STAGES = ['dependencies', 'init'];
/** Docker's format, because the OCI format has no HEALTHCHECK. */
const BUD = [
  'bud',
  '--isolation=chroot',
  '--pull=never',
  '--format=docker',
  '--layers',
  '--file=deploy/Dockerfile',
];
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

export type BuiltImage = {
  /** Includes the tag. */
  readonly name: string;
  /** In the format of `docker save`: `docker load`, `ctr image import`. */
  readonly archive: string;
  /** Size of all its layers, unpacked. */
  readonly bytes: number;
};

/**
 * @param of.name with a tag; without a registry, Docker and Kubernetes read it as one of the default registry
 * @param of.archive file to write; an existing one is replaced
 * @throws Error that names the missing program, or with the last line of the build
 */
export async function buildImage(of: {
  name: string;
  /** The last stage of the Dockerfile by default. */
  stage?: string;
  archive: string;
  /** `NAME=value` for each ARG of the Dockerfile that is not to have its default. */
  buildArgs?: readonly string[];
  onProgress: (line: string) => void;
  signal?: AbortSignal;
}): Promise<BuiltImage> {
  const { archive, onProgress, signal } = of;
  const name = of.name.includes('/') ? of.name : `docker.io/library/${of.name}`;
  checkNeeds();
  await ensureBase(onProgress, signal);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-image-'));
  try {
    const settings = await machineSettings(folder);
    const own = (of.buildArgs ?? []).flatMap((text) => ['--build-arg', text]);
    const stages = KEPT_STAGES.map((stage) => [`--target=${stage}`, `--tag=syncrator-${stage}`]);
    for (const what of [
      ...stages,
      [...(of.stage === undefined ? [] : [`--target=${of.stage}`]), `--tag=${name}`],
    ])
      await buildahLong([...BUD, ...settings, ...own, ...what, '.'], {
        cwd: PROJECT,
        onLine: onProgress,
        deadlineMs: DEADLINE_MS,
        signal,
      });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  mkdirSync(path.dirname(archive), { recursive: true });
  rmSync(archive, { force: true });
  await buildah('push', '--quiet', name, `docker-archive:${archive}:${name}`);
  await buildah('rmi', '--prune').catch((error: unknown) =>
    // Another build may be using some of it.
    onProgress(
      `cannot remove the leftovers of this build: ${error instanceof Error ? error.message : String(error)}`,
    ),
  );
  return { name, archive, bytes: statSync(archive).size };
}

/**
 * Settings by which this machine reaches its package registries; mounted while building, so that the image does not
 * contain them.
 */
async function machineSettings(folder: string): Promise<string[]> {
  const npmrc = path.join(folder, 'npmrc');
  const { stdout: registry } = await promisify(execFile)('npm', ['config', 'get', 'registry'], {
    cwd: PROJECT,
  });
  writeFileSync(npmrc, `registry=${registry.trim()}\ncafile=${AUTHORITIES}\n`);
  const own = path.join(os.homedir(), '.npmrc');
  return [
    ...mount(AUTHORITIES, AUTHORITIES),
    ...mount(npmrc, '/usr/local/etc/npmrc'),
    ...(existsSync(own) ? mount(own, '/root/.npmrc') : []),
  ];
}

function mount(from: string, to: string): string[] {
  return ['--volume', `${from}:${to}:ro`];
}
