/** The tools that build an image without a registry: Debian's own, as root. */
import { onPath } from '../../src/embedded/go-build.ts';

/** Debian package by program. */
const PACKAGES = { buildah: 'buildah', mmdebstrap: 'mmdebstrap', runc: 'runc' } as const;

/** @throws Error that says in one line what to install */
export function checkNeeds(env: NodeJS.ProcessEnv = process.env): void {
  const missing = Object.entries(PACKAGES).filter(([program]) => onPath(program, env) === undefined);
  if (missing.length > 0)
    throw new Error(
      `building an image needs Debian packages: apt-get install --no-install-recommends ${missing.map(([, name]) => name).join(' ')}`,
    );
  if (process.getuid?.() !== 0) throw new Error('building an image needs root: sudo npm run image');
}
