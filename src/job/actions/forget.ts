/** Action forget-record: erases the earlier values of records. Logs no id: an id may name a person. */
import type { ActionContext } from './action.ts';

export async function forget(
  { sink, progress, log }: Pick<ActionContext, 'sink' | 'progress' | 'log'>,
  ids: readonly string[],
): Promise<void> {
  const { values, live } = await sink.forget(ids);
  log.info(`erased ${values} earlier values of ${ids.length} records`);
  if (live.length === 0) return;
  const those = `${live.length} of the forgotten records ${live.length === 1 ? 'is' : 'are'} live`;
  progress({ warnings: [`${those}: remove them at the source, run a job, then forget them again`] });
}
