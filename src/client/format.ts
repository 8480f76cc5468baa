/** Formats facts about jobs, the same for terminal and page. Pure. */
import type { JobJson } from './types.ts';

/** `3m 20s`: the two largest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor((whole % 86_400) / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'm'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

export function ago(time: string | null, now = Date.now()): string {
  return time === null ? 'never' : `${duration((now - Date.parse(time)) / 1000)} ago`;
}

/** Duration from the job's start (or creation) to its end (or now). */
export function tookOf(
  job: Pick<JobJson, 'created_at' | 'started_at' | 'finished_at'>,
  now = Date.now(),
): string {
  const end = job.finished_at === null ? now : Date.parse(job.finished_at);
  return duration((end - Date.parse(job.started_at ?? job.created_at)) / 1000);
}

/** `5,100 of 8,200`; empty while nothing is counted. */
export function recordsOf(progress: JobJson['progress']): string {
  if (progress === null || progress.records_done === null) return '';
  const done = progress.records_done.toLocaleString('en');
  return progress.records_total === null ? done : `${done} of ${progress.records_total.toLocaleString('en')}`;
}

/** `980 B`, `18.2 kB`, `16.8 MB`. */
export function bytesOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [unit, per] = bytes < 1_000_000 ? ['kB', 1_000] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  return `${(bytes / per).toLocaleString('en', { maximumFractionDigits: 1 })} ${unit}`;
}

/** Seconds until all records are done at the rate so far; undefined without a rate or a total. */
export function secondsLeft(progress: JobJson['progress']): number | undefined {
  const { records_done: done = null, records_total: total = null, rate = null } = progress ?? {};
  if (done === null || total === null || rate === null || rate <= 0 || done >= total) return undefined;
  return (total - done) / rate;
}

/** `running`, `waiting (quota)`, `running (stalled)`, `running (validating)`. */
export function statusOf(job: Pick<JobJson, 'status' | 'status_reason' | 'phase' | 'stalled'>): string {
  const more = [
    ...(job.status_reason === null ? [] : [job.status_reason]),
    ...(job.phase === null || job.status !== 'running' ? [] : [job.phase]),
    ...(job.stalled ? ['stalled'] : []),
  ];
  return more.length === 0 ? job.status : `${job.status} (${more.join(', ')})`;
}
