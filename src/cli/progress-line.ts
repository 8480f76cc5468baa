/** Shows a running job on one line: a bar, records, rate and time left. Redrawn in place on a terminal. */
import type { JobJson } from '../client/client.ts';
import { duration, recordsOf, secondsLeft, tookOf } from '../client/format.ts';
import { bar } from '../terminal/bar.ts';
import { styled } from '../terminal/output.ts';
import { statusCell } from './job-cells.ts';

/** Milliseconds between two lines to a pipe while the status stays the same. */
const QUIET_MS = 10_000;

/** Pure except for the colours. */
function progressLine(job: JobJson): string {
  const { progress } = job;
  const { percent = null, rate = null } = progress ?? {};
  const left = secondsLeft(progress);
  const status = statusCell(job);
  const parts = [
    `${job.job_type} of ${job.target} in ${job.env}`,
    typeof status === 'object' ? styled(status.look, status.text) : status,
    ...(percent === null ? [] : [`${bar(percent)} ${percent.toFixed(0)} %`]),
    recordsOf(progress),
    ...(rate === null ? [] : [`${Math.round(rate).toLocaleString('en')}/s`]),
    ...(left === undefined ? [] : [`${duration(left)} left`]),
    tookOf(job),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

export type ProgressDisplay = { show(job: JobJson): void; end(): void };

/** Writes to stderr: programs read stdout. */
export function createProgressDisplay(out: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  let last = { text: '', at: 0, status: '' };
  return {
    show(job) {
      const text = progressLine(job);
      if (out.isTTY) {
        if (text !== last.text) out.write(`\r\u001b[K${text}`);
      } else {
        if (job.status === last.status && Date.now() - last.at < QUIET_MS) return;
        out.write(`${text}\n`);
      }
      last = { text, at: Date.now(), status: job.status };
    },
    end() {
      if (out.isTTY && last.text !== '') out.write('\n');
      last = { text: '', at: 0, status: '' };
    },
  };
}
