/** Finds the load of an earlier attempt that covers the same listing. */
import type { LoadMode } from '../sinks/sink.ts';
import type { ActionContext } from './action.ts';

/** @returns the load's id; null to start a new load */
export function resumable(
  { checkpoint, source, log }: Pick<ActionContext, 'checkpoint' | 'source' | 'log'>,
  of: { mode: LoadMode; since: Date | null; total: number | null },
): string | null {
  if (checkpoint?.action !== 'load' || checkpoint.mode !== of.mode) return null;
  if (checkpoint.since !== (of.since?.toISOString() ?? null)) return null;
  if (checkpoint.fields !== source.mapping) {
    log.info(
      'the settings of the source or FIELDS have changed since the earlier attempt: loading from the start',
    );
    return null;
  }
  if (checkpoint.total === of.total) return checkpoint.load_id;
  log.info(`the source now has ${of.total} records instead of ${checkpoint.total}: loading from the start`);
  return null;
}
