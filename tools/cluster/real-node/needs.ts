/** The needs of a real node besides our own programs: Debian packages, and root. */
import { accessSync } from 'node:fs';
import { onPath } from '../../../src/embedded/go-build.ts';

export const PLUGINS = '/usr/lib/cni';

/** Debian package by the file that must exist. */
const PACKAGES = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  ip: 'iproute2',
  [`${PLUGINS}/bridge`]: 'containernetworking-plugins',
  [`${PLUGINS}/host-local`]: 'containernetworking-plugins',
  [`${PLUGINS}/loopback`]: 'containernetworking-plugins',
} as const;

/** @throws Error that says in one line what to install */
export function checkNeeds(env: NodeJS.ProcessEnv = process.env): void {
  const missing = Object.entries(PACKAGES).filter(([what]) => !isThere(what, env));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].join(' ');
    throw new Error(`real pods need Debian packages: apt-get install --no-install-recommends ${packages}`);
  }
  if (process.getuid?.() !== 0) throw new Error('real pods need root: sudo npm run cluster -- --real-pods');
}

function isThere(what: string, env: NodeJS.ProcessEnv): boolean {
  if (!what.startsWith('/')) return onPath(what, env) !== undefined;
  try {
    accessSync(what);
    return true;
  } catch {
    return false;
  }
}
