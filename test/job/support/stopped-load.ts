/** Stops a sync in the middle of its load, at the third COPY into the sink. */
import { JobError } from '../../../src/job/job-error.ts';
import type { Setup } from './setup.ts';
import { startStatementProxy } from './statement-proxy.ts';

export async function runStoppedLoad(
  t: Pick<Setup, 'run' | 'sinkUrl'>,
  options: string,
  settings: Record<string, string>,
): ReturnType<Setup['run']> {
  const stop = new AbortController();
  await using proxy = await startStatementProxy({
    url: t.sinkUrl,
    onStatement() {
      if (proxy.statements.filter((text) => text.startsWith('COPY')).length === 3)
        stop.abort(new JobError('terminated', 'ended by the test'));
    },
  });
  return await t.run(options, { ...settings, SINK_URL: proxy.url }, stop.signal);
}
