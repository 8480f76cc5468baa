/** Compares two jobs of the same target, env and action fact by fact. Pure. */
import type { JobJson } from '../../client/client.ts';
import { duration, statusOf } from '../../client/format.ts';

export type Compared = {
  readonly what: string;
  readonly here: string;
  readonly there: string;
  /** The texts differ, or the numbers differ by more than 10 %. */
  readonly differs: boolean;
};

const FAR = 0.1;

export function compare(here: JobJson, there: JobJson): Compared[] {
  const text = (what: string, of: (job: JobJson) => string | null | undefined): Compared => {
    const [a, b] = [of(here) ?? '', of(there) ?? ''];
    return { what, here: a, there: b, differs: a !== b };
  };
  const number = (
    what: string,
    of: (job: JobJson) => number | null | undefined,
    show = (value: number) => value.toLocaleString('en'),
  ): Compared => {
    const [a, b] = [of(here) ?? null, of(there) ?? null];
    const differs =
      a === null || b === null ? a !== b : Math.abs(a - b) > FAR * Math.max(Math.abs(a), Math.abs(b));
    return { what, here: a === null ? '' : show(a), there: b === null ? '' : show(b), differs };
  };
  const rows = [
    text('Status', statusOf),
    number('Took', seconds, duration),
    number('Records', (job) => job.progress?.records_done),
    number('Records a second', (job) => job.progress?.rate),
    number('Added', (job) => job.progress?.added),
    number('Updated', (job) => job.progress?.updated),
    number('Deleted', (job) => job.progress?.deleted),
    number('Failed', (job) => job.progress?.failed),
    number('Set aside', (job) => job.failed_items.length),
    number('Kept', (job) => job.kept),
    text('Listing', (job) => job.listing),
    text('Options', (job) => job.parameters.options),
    text('Image tag', (job) => job.parameters.is_tag),
    text('Query', (job) => job.parameters.mam_main_query),
    text('Runner', (job) => job.runner),
    text('Program version', (job) => job.sync_job?.version),
    text('Written to', (job) => job.sync_job?.target_datastore_url),
    text('Attempts', (job) => String(job.steps.length)),
  ];
  return rows.filter((row) => row.here !== '' || row.there !== '');
}

function seconds({ started_at: from, finished_at: to }: JobJson): number | null {
  return from === null || to === null ? null : (Date.parse(to) - Date.parse(from)) / 1000;
}
