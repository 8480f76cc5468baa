/** Finds packages of PyPI in our cache, or installs them there: each set in an environment of its own, since their dependencies differ. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { withProgress } from '../../../src/embedded/progress-ticker.ts';
import { cacheDir, type Progress } from '../../../src/embedded/temporal-binary.ts';

const INSTALL_MS = 10 * 60_000;
const LEAST_MINOR = 10;
const MOST_MINOR = 12;

export type PythonPackages = {
  /** With their versions. */
  readonly packages: readonly string[];
  readonly size: string;
};

/** Written last. The scripts hold the path of the folder, so that it cannot be built elsewhere and renamed. */
const DONE = 'installed';

/** @returns the folder of the environment @throws Error that says what to install */
export async function pythonPackages(
  { packages, size }: PythonPackages,
  onProgress: Progress,
): Promise<string> {
  const folder = path.join(cacheDir(), 'connectors', packages.join('+').replaceAll('==', '-'));
  if (existsSync(path.join(folder, DONE))) return folder;
  const python = await findPython();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  const label = `pip install ${packages.join(' ')}`;
  const run = promisify(execFile);
  try {
    await withProgress(`${label} (${size}, about a minute, once)`, onProgress, async () => {
      await run(python, ['-m', 'venv', folder], { timeout: INSTALL_MS });
      const pip = [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--no-input',
        '--disable-pip-version-check',
        ...packages,
      ];
      await run(path.join(folder, 'bin/python'), pip, { timeout: INSTALL_MS, maxBuffer: 64 * 1024 * 1024 });
    });
  } catch (cause) {
    const { stderr = '', stdout = '' } = cause as { stderr?: string; stdout?: string };
    const last = `${stdout}\n${stderr}`.trim().split('\n').at(-1);
    throw new Error(
      `packages that the tests need cannot be installed: ${label}: ${last || String(cause)}; PyPI must be reachable, and Debian's python3-venv installed`,
      { cause },
    );
  }
  writeFileSync(path.join(folder, DONE), '');
  return folder;
}

async function findPython(): Promise<string> {
  for (const name of ['python3', 'python3.12', 'python3.11', 'python3.10']) {
    const answer = await promisify(execFile)(name, ['--version'], { timeout: 10_000 }).catch(() => null);
    const minor = Number(/^Python 3\.(\d+)/.exec(answer?.stdout ?? '')?.[1]);
    if (minor >= LEAST_MINOR && minor <= MOST_MINOR) return name;
  }
  throw new Error(
    `some tests need Python 3.${LEAST_MINOR} to 3.${MOST_MINOR} on PATH: apt-get install python3 python3-venv (Debian 12)`,
  );
}
