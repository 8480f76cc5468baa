/** One line about a job that runs: a bar, records, rate and time left. Redrawn in place on a terminal. */
import type { JobJson } from '../api/job-schema.ts';
import { duration, recordsOf, secondsLeft, tookOf } from '../client/words.ts';
import { styled } from './output.ts';
import { statusCell } from './words.ts';

const BAR = 24;
/** To a pipe, an unchanged status is told this often, in milliseconds. */
const QUIET_MS = 10_000;

/** Pure but for the colours. */
export function progressLine(job: JobJson): string {
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

/** @param percent above 100 is full */
export function bar(percent: number): string {
  const full = Math.round((Math.min(100, percent) / 100) * BAR);
  return styled('cyan', '█'.repeat(full)) + styled('dim', '░'.repeat(BAR - full));
}

export type ProgressDisplay = { show(job: JobJson): void; end(): void };

/** Writes to stderr, so that what a program reads from stdout stays clean. */
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
