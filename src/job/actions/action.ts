/** The context of an action: source, sink, limits, and where to report progress. */
import type { BaselineMode } from '../../domain/baseline.ts';
import type { Report } from '../../domain/report.ts';
import type { JobArguments } from '../arguments.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { Log } from '../log.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Source } from '../sources/source.ts';

/** The report fields that an action sets. */
export type Progress = Partial<
  Pick<
    Report,
    | 'phase'
    | 'records_done'
    | 'records_total'
    | 'added'
    | 'updated'
    | 'deleted'
    | 'failed'
    | 'message'
    | 'waiting_for'
    | 'warnings'
    | 'failed_items'
    | 'kept'
    | 'held'
    | 'watermark'
    | 'listing'
    | 'rollback_preview'
    | 'unusual'
  > & {
    checkpoint: Checkpoint | null;
  }
>;

/** Limits of the guards and of rejected records. */
export type Limits = {
  readonly maxDeletePercent: number;
  readonly maxDeleteRecords: number;
  readonly maxUpdatePercent: number | null;
  readonly maxRejected: number;
  readonly baseline: BaselineMode;
};

export type ActionContext = {
  readonly source: Source;
  readonly sink: Sink;
  readonly options: Pick<JobArguments, 'batchSize' | 'concurrency' | 'forceDelete' | 'acceptJump'>;
  readonly limits: Limits;
  readonly watermarkMarginMs: number;
  /** The checkpoint of an earlier attempt. */
  readonly checkpoint: Checkpoint | null;
  /**
   * True in the delete step of a diff, which removes nothing and succeeds if the listing is not proven complete.
   */
  readonly partOfDiff: boolean;
  /** True: the action is planned, and nothing of it happens. */
  readonly planning?: boolean;
  /** Merges `news` into the next report. */
  readonly progress: (news: Progress) => void;
  readonly log: Log;
  /** Aborted with a JobError as reason; checked before each batch. */
  readonly stop: AbortSignal;
};
