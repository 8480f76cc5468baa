/** Follows a job to its end on the terminal; Ctrl-C asks whether to cancel it. */
import { createInterface } from 'node:readline/promises';
import type { JobJson } from '../client/client.ts';
import { recordsOf, tookOf } from '../client/format.ts';
import { isFinal } from '../domain/status.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { fieldsOf } from '../terminal/output.ts';
import { createProgressDisplay } from './progress-line.ts';
import type { Server } from './remote.ts';
import { watchJob } from './watch-job.ts';
import { exitOf, statusCell } from './job-cells.ts';

/** The time taken is redrawn this often: events do not carry it. */
const REDRAW_MS = 1_000;

/**
 * @returns the job once it is final
 * @throws CliFailure 130 when the user detaches, 3 when the server stays unreachable
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
        if (shown && job.version < shown.version) continue; // events may repeat
        shown = job;
        display?.show(job);
      }
      if (!interrupt.signal.aborted)
        throw new CliFailure(`lost contact with the server before job ${id} finished`, EXIT.unreachable);
      shown = undefined; // keeps the redraw from overwriting the question
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

/** Returns to keep following. @throws CliFailure 130 to detach */
async function leave(server: Server, id: number): Promise<void> {
  const on = `job ${id} keeps running; follow it again: syncrator jobs watch ${id}`;
  if (!process.stdin.isTTY) throw new CliFailure(on, EXIT.interrupted);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // A second Ctrl-C detaches.
  const gone = new AbortController();
  asking.once('SIGINT', () => gone.abort());
  const question = `Job ${id} is still running. [c]ancel it, [d]etach, or keep [f]ollowing? `;
  const answer = await asking.question(question, { signal: gone.signal }).catch(() => 'd');
  asking.close();
  if (answer.trim().toLowerCase().startsWith('c')) {
    await server.call((api) => api.cancelJob(id));
    return;
  }
  if (!answer.trim().toLowerCase().startsWith('f')) throw new CliFailure(on, EXIT.interrupted);
}

/** Summarises a job for people, above all one that has ended. */
export function summaryOf(job: JobJson): string {
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
    warnings: job.warnings.length === 0 ? null : { text: job.warnings.join('\n'), look: 'yellow' },
  });
}

/** Sets the exit code of the process by the job's outcome. */
export function endWith(job: JobJson): void {
  process.exitCode = exitOf(job);
}
