/** Watches a job to its end from the terminal; Ctrl-C asks what to do with it. */
import { createInterface } from 'node:readline/promises';
import type { JobJson } from '../api/job-schema.ts';
import { recordsOf, tookOf } from '../client/words.ts';
import { isFinal } from '../domain/status.ts';
import { CliFailure, EXIT } from './failure.ts';
import { fieldsOf } from './output.ts';
import { createProgressDisplay } from './progress-line.ts';
import type { Server } from './remote.ts';
import { watchJob } from './watch-job.ts';
import { exitOf, statusCell } from './words.ts';

/** The time it has taken is told anew this often; nothing of that comes by events. */
const REDRAW_MS = 1_000;

/**
 * @returns the job once it is final
 * @throws CliFailure with 130 when whoever looked went away, 3 when the server stays away
 */
export async function follow(
  server: Server,
  id: number,
  { quiet = false }: { quiet?: boolean } = {},
): Promise<JobJson> {
  const display = quiet ? undefined : createProgressDisplay();
  let shown: JobJson | undefined;
  const redraw = setInterval(() => shown && display?.show(shown), REDRAW_MS);
  let interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.on('SIGINT', onInterrupt);
  try {
    for (;;) {
      for await (const job of watchJob(server, id, interrupt.signal)) {
        if (isFinal(job.status)) {
          display?.show(job);
          return job;
        }
        if (shown && job.version < shown.version) continue; // an event may come twice
        shown = job;
        display?.show(job);
      }
      if (!interrupt.signal.aborted)
        throw new CliFailure(`the server told of job ${id} no more, before its end`, EXIT.unreachable);
      shown = undefined; // nothing is drawn over the question
      display?.end();
      await leave(server, id);
      interrupt = new AbortController();
    }
  } finally {
    clearInterval(redraw);
    process.off('SIGINT', onInterrupt);
    display?.end();
  }
}

/** Returns when the job is to be followed on. @throws CliFailure 130 when it is left alone */
async function leave(server: Server, id: number): Promise<void> {
  const on = `Job ${id} goes on. Follow it again: syncrator jobs watch ${id}`;
  if (!process.stdin.isTTY) throw new CliFailure(on, EXIT.interrupted);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // A second Ctrl-C is an answer too.
  const gone = new AbortController();
  asking.once('SIGINT', () => gone.abort());
  const question = `Job ${id} still runs. [c]ancel it, [d]etach and let it run, or [f]ollow on? `;
  const answer = await asking.question(question, { signal: gone.signal }).catch(() => 'd');
  asking.close();
  if (answer.trim().toLowerCase().startsWith('c')) {
    await server.call('DELETE', `/jobs/${id}`);
    return;
  }
  if (!answer.trim().toLowerCase().startsWith('f')) throw new CliFailure(on, EXIT.interrupted);
}

/** What is worth telling of a job that has ended. */
export function tellEnd(job: JobJson): string {
  const { diagnosis, progress } = job;
  const changes = (['added', 'updated', 'deleted', 'failed'] as const).flatMap((name) => {
    const count = progress?.[name] ?? null;
    return count === null ? [] : [`${count.toLocaleString('en')} ${name}`];
  });
  return fieldsOf({
    job: `${job.id}: ${job.job_type} of ${job.target} in ${job.env}`,
    status: statusCell(job),
    took: tookOf(job),
    records: recordsOf(progress) || null,
    changes: changes.join(', ') || null,
    why: diagnosis ? { text: diagnosis.summary, look: 'red' } : null,
    detail: diagnosis?.detail || null,
    'what to do': diagnosis?.what_to_do ?? null,
  });
}

/** Sets what the process ends with. */
export function endWith(job: JobJson): void {
  process.exitCode = exitOf(job);
}
