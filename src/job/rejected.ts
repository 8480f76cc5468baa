/** Error and report texts for rejected records: up to MAX_REJECTED are set aside, more of them fail the run. */
import { JobError } from './job-error.ts';
import type { RejectedRecord } from './sources/source.ts';

/** More bad records than MAX_REJECTED. The message shows the first five. */
export class TooManyRejected extends JobError {
  /** A run reads on until it has found this many, so that an operator can fix them all at once. */
  static readonly MOST_TOLD = 100;

  readonly rejected: readonly RejectedRecord[];

  /** @param become the effect on the good records, in words */
  constructor(rejected: readonly RejectedRecord[], mayReject: number, become = 'nothing was changed') {
    const first = rejected.slice(0, 5).map(inWords).join('; ');
    const more = rejected.length > 5 ? '; …' : '';
    const orMore = rejected.length >= TooManyRejected.MOST_TOLD ? ' or more' : '';
    super(
      'recordsRejected',
      `${rejected.length}${orMore} bad ${rejected.length === 1 ? 'record' : 'records'}, and MAX_REJECTED allows ${mayReject}; ${become}. ${first}${more}`,
    );
    this.rejected = rejected.slice(0, TooManyRejected.MOST_TOLD);
  }
}

/** `line 2 of the first page (id "7"): …` */
function inWords({ where, id, why }: RejectedRecord): string {
  return `${where}${id === null ? '' : ` (id ${JSON.stringify(id.slice(0, 100))})`}: ${why}`;
}

/** The records in the form of the job's failed items. */
export function asFailedItems(rejected: readonly RejectedRecord[]): { id: string; why: string }[] {
  return rejected.map(({ where, id, why }) => ({
    id: (id ?? where).slice(0, 100),
    why: `${where}: ${why}`.slice(0, 300),
  }));
}
