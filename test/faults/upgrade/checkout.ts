/** Another commit of the project beside this one, ready to run. */
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const LIMIT_MS = 300_000;

/**
 * @param ref a tag or commit of this repository
 * @param dir its folder; must not exist
 * @throws Error with the message of git or npm
 */
export function checkOut(ref: string, dir: string): void {
  const run = (program: string, args: readonly string[], cwd: string) =>
    execFileSync(program, args, {
      cwd,
      timeout: LIMIT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
  const commit = run('git', ['rev-parse', '--verify', `${ref}^{commit}`], ROOT).trim();
  run('git', ['clone', '--quiet', '--no-checkout', '--shared', ROOT, dir], ROOT);
  run('git', ['checkout', '--quiet', '--detach', commit], dir);
  const lock = (root: string) => readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  if (lock(dir) === lock(ROOT)) symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  else run('npm', ['ci', '--no-audit', '--no-fund'], dir);
}
