/** What an action is given: a source, a sink, and where to say how far it is. */

import type { Report } from '../../domain/report.ts';
import type { JobArguments } from '../arguments.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { Log } from '../log.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Source } from '../sources/source.ts';

/** The part of a report that an action knows. */
export type Progress = Partial<
  Pick<
    Report,
    'phase' | 'records_done' | 'records_total' | 'added' | 'updated' | 'deleted' | 'failed' | 'message'
  > & {
    checkpoint: Checkpoint | null;
  }
>;

export type ActionContext = {
  readonly source: Source;
  readonly sink: Sink;
  readonly options: Pick<JobArguments, 'batchSize' | 'lanes' | 'forceDelete'>;
  readonly maxDeletePercent: number;
  /** The earlier attempt's. */
  readonly checkpoint: Checkpoint | null;
  /** Merges into what the next report says. */
  readonly progress: (news: Progress) => void;
  readonly log: Log;
  /** Aborted with a JobError as reason; looked at before each batch. */
  readonly stop: AbortSignal;
};

/** How much earlier than the source's clock a watermark lies: what was being written while we read is read again. */
export const WATERMARK_MARGIN_MS = 5 * 60_000;

export function watermarkAt(sourceNow: Date): Date {
  return new Date(sourceNow.getTime() - WATERMARK_MARGIN_MS);
}
