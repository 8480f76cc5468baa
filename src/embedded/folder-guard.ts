/** Ends a detached server once its files are deleted; a small shell process watches, since the server outlives us. */
import { spawn } from 'node:child_process';
import type { ProcessIdentity } from './process-identity.ts';

/**
 * Uses only `sh` and `sleep`, since the guard lives as long as the server and must stay small. Identifies the server by
 * its start time (20th field after the name in proc(5)), because pids are reused; ignores zombies.
 */
const SCRIPT = `set -f
pid=$1 start=$2 file=$3 signal=$4
while read -r stat < "/proc/$pid/stat"; do
  set -- \${stat##*) }
  [ "\${20}" = "$start" ] && [ "$1" != Z ] && [ "$1" != X ] || exit
  [ -e "$file" ] || { kill -s "$signal" "$pid"; exit; }
  sleep 2
done`;

/**
 * Starts the guard of a server; it ends when the server does.
 * @param of.signal signal that ends the server at once
 */
export function guardFolder(of: {
  name: string;
  server: ProcessIdentity;
  file: string;
  signal: 'SIGKILL' | 'SIGQUIT';
}): void {
  const { pid, startTime } = of.server;
  const words = [`guard of ${of.name}`, String(pid), startTime, of.file, of.signal.slice('SIG'.length)];
  // A long-lived process should hold none of our settings.
  const env = { PATH: process.env['PATH'] };
  const guard = spawn('sh', ['-c', SCRIPT, ...words], { cwd: '/', detached: true, stdio: 'ignore', env });
  // Optional: without a guard, the next start ends or adopts the server.
  guard.on('error', () => undefined);
  guard.unref();
}
