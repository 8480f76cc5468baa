/** Builds stand-ins for the foreign images that docker-compose.yml names, for machines without a registry. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildah, buildahLong } from '../image/buildah.ts';
import { ensureDebian } from '../image/debian.ts';
import { type Programs, TEMPORAL_VERSION, UI_VERSION } from './programs.ts';

const DEADLINE_MS = 10 * 60_000;
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

type StandIn = {
  readonly name: string;
  /** Folder below `stand-ins` with its Dockerfile and its files. */
  readonly folder: string;
  /** Further files, by their name in the Dockerfile. */
  readonly files: Readonly<Record<string, string>>;
};

/**
 * Writes one archive per image into the folder, in the format of `docker save`.
 * @returns the archives
 */
export async function makeStandIns(
  programs: Programs,
  to: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<string[]> {
  await ensureDebian(onProgress, signal);
  const archives: string[] = [];
  for (const one of standIns(programs)) {
    const archive = path.join(to, `${one.folder}.tar`);
    await make(one, archive, onProgress, signal);
    archives.push(archive);
  }
  return archives;
}

function standIns(programs: Programs): StandIn[] {
  const { temporalSource, uiSource } = programs;
  return [
    { name: 'docker.io/library/postgres:18-bookworm', folder: 'postgres', files: {} },
    {
      name: `docker.io/temporalio/auto-setup:${TEMPORAL_VERSION}`,
      folder: 'temporal',
      files: {
        temporal: programs.temporal,
        'temporal-server': programs.temporalServer,
        'temporal-sql-tool': programs.temporalSqlTool,
        'docker.yaml': path.join(temporalSource, 'config/docker.yaml'),
        'dynamic.yaml': path.join(temporalSource, 'config/dynamicconfig/docker.yaml'),
      },
    },
    {
      name: `docker.io/temporalio/ui:${UI_VERSION}`,
      folder: 'temporal-ui',
      files: { 'ui-server': programs.uiServer, 'docker.yaml': path.join(uiSource, 'config/docker.yaml') },
    },
  ];
}

async function make(
  { name, folder, files }: StandIn,
  archive: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const context = mkdtempSync(path.join(os.tmpdir(), 'syncrator-stand-in-'));
  try {
    cpSync(path.join(import.meta.dirname, 'stand-ins', folder), context, { recursive: true });
    for (const [file, from] of Object.entries(files)) cpSync(from, path.join(context, file));
    const how = ['--isolation=chroot', '--pull=never', '--format=docker', '--layers'];
    const what = [`--volume=${AUTHORITIES}:${AUTHORITIES}:ro`, `--tag=${name}`, '.'];
    await buildahLong(['bud', ...how, ...what], { cwd: context, onLine, deadlineMs: DEADLINE_MS, signal });
    await buildah('push', '--quiet', name, `docker-archive:${archive}:${name}`);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}
