/** What the activities on steps are built over. */
import type { Db } from '../src/db/schema.ts';
import type { Runner } from '../src/runner/runner.ts';

export type StepDeps = {
  readonly db: Db;
  readonly runner: Runner;
  readonly installation: string;
  readonly secrets: readonly string[];
  readonly reportBaseUrl: string;
  /** Bytes that a step's log may take. */
  readonly logLimit: number;
};
