/** Follows the params files while a process runs: on a change and at SIGHUP; every outcome reaches the log. */
import { isatty } from 'node:tty';
import { LiveParams } from '../job-params/live-params.ts';
import { faultText, type JobParams } from '../job-params/load.ts';
import type { Log } from '../log.ts';

/**
 * Opens the params files of a process.
 * @param faultOf why this process must not use params that are good by themselves
 * @throws JobParamsError
 */
export async function openParams(
  dir: string,
  log: Log,
  faultOf?: (params: JobParams) => string | undefined,
): Promise<LiveParams> {
  const live = await LiveParams.open(dir, faultOf);
  live.onNews((reloaded) => {
    if (reloaded.kind === 'loaded') log.info(reloaded.changes, 'params files were read again');
    else
      log.error(
        { faults: reloaded.faults.map(faultText) },
        'the params files are faulty; the last good state stays in use',
      );
  });
  return live;
}

/** Runs until the signal aborts, also while files are being read. */
export async function followParams(live: LiveParams, log: Log, signal: AbortSignal): Promise<void> {
  const hasTerminal = isatty(0);
  const onHangUp = () => {
    if (hasTerminal && !isatty(0)) return endAsUsual();
    log.info('SIGHUP: reading the params files again');
    void live.reload();
  };
  /** A closed terminal sends SIGHUP, too, and could no longer end the process by Ctrl-C: then SIGHUP ends it. */
  const endAsUsual = () => {
    process.off('SIGHUP', onHangUp);
    process.kill(process.pid, 'SIGHUP');
  };
  process.on('SIGHUP', onHangUp);
  try {
    // A folder that hangs, as of a lost file server, must not keep the process from stopping.
    await Promise.race([live.watch(signal), aborted(signal)]);
  } finally {
    process.off('SIGHUP', onHangUp);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
