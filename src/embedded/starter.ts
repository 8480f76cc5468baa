/** Detects that the npm which started this process was killed: its SIGKILL reaches no child. */

const LOOK_MS = 500;

/**
 * Calls `onGone` once when the npm that started this process is gone. Watches no other parent, since a shell may leave
 * us running on purpose. The scripts of package.json `exec` node, so that npm is our parent.
 */
export function onNpmGone(env: NodeJS.ProcessEnv, onGone: () => void): void {
  if (env['npm_lifecycle_event'] === undefined) return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    onGone();
  }, LOOK_MS);
  timer.unref();
}
