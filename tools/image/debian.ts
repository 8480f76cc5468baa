/** Builds `debian:bookworm-slim` from Debian's packages: the base of all other images that are built here. */
import path from 'node:path';
import { buildah } from './buildah.ts';
import { ensureMade } from './stand-in-image.ts';

export const DEBIAN = 'docker.io/library/debian:bookworm-slim';
/** Left out as in Debian's own -slim images. */
const SLIM = ['doc', 'info', 'linda', 'lintian/overrides', 'locale', 'man', 'groff']
  .map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`)
  .concat('--dpkgopt=path-include=/usr/share/doc/*/copyright');

export async function ensureDebian(onProgress: (line: string) => void, signal?: AbortSignal): Promise<void> {
  await ensureMade(
    {
      name: DEBIAN,
      madeOf: 'slim debian bookworm',
      usually: '40 s',
      from: 'scratch',
      settings: ['--cmd=bash', '--env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      async fill({ container, folder, run }) {
        const tar = path.join(folder, 'debian.tar');
        await run('mmdebstrap', ['--mode=root', '--variant=minbase', ...SLIM, 'bookworm', tar]);
        await buildah('add', container, tar, '/');
      },
    },
    onProgress,
    signal,
  );
}
