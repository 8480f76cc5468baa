/** Dependencies of the activities on jobs and steps. */
import type { Db } from '../src/db/schema.ts';
import type { SourceLimits } from '../src/domain/source-limit.ts';
import type { Runner } from '../src/runner/runner.ts';
import type { Temporal } from '../src/temporal/connect.ts';

export type StepDeps = {
  readonly db: Db;
  readonly temporal: Temporal;
  readonly runner: Runner;
  readonly sourceLimits: SourceLimits;
  readonly installation: string;
  readonly secrets: readonly string[];
  readonly reportBaseUrl: string;
  /** Upper bound of a step's log, in bytes. */
  readonly logLimit: number;
};
