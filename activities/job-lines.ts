/** Every line that a worker logs of a job, the Temporal SDK's too, says which job, step and attempt, and of which trace. */
import { Context } from '@temporalio/activity';
import type { JobRow } from '../src/db/submit.ts';
import { traceFields } from '../src/domain/trace.ts';

type Fields = {
  readonly job?: number;
  readonly step?: number;
  readonly attempt?: number;
  readonly trace_id?: string;
};

const fieldsOf = new WeakMap<Context, Fields>();

/** From now on each line of the activity under way says so. */
export function linesAreOf(job: Pick<JobRow, 'id' | 'traceparent'>): void {
  const context = Context.current();
  fieldsOf.set(context, { ...fieldsOf.get(context), job: job.id, ...traceFields(job.traceparent) });
}

/** For the worker's `interceptors.activity`. */
export function jobLines(context: Context) {
  return {
    inbound: {
      // What is known before Postgres is asked, which may be what fails.
      execute<Input extends { readonly args: readonly unknown[] }>(
        input: Input,
        next: (input: Input) => Promise<unknown>,
      ): Promise<unknown> {
        const fields = fieldsIn(input.args[0]);
        if (fields) fieldsOf.set(context, fields);
        return next(input);
      },
    },
    outbound: {
      getLogAttributes(
        { attempt, ...attributes }: Record<string, unknown>,
        next: (attributes: Record<string, unknown>) => Record<string, unknown>,
      ): Record<string, unknown> {
        // `attempt` is a word of ours: that of a step.
        return next({ ...attributes, activityAttempt: attempt, ...fieldsOf.get(context) });
      },
    },
  };
}

function fieldsIn(input: unknown): Fields | undefined {
  if (typeof input !== 'object' || input === null || !('jobId' in input)) return undefined;
  const { jobId: job, step, attempt } = input as { jobId: unknown; step?: unknown; attempt?: unknown };
  return {
    ...(typeof job === 'number' ? { job } : {}),
    ...(typeof step === 'number' ? { step } : {}),
    ...(typeof attempt === 'number' ? { attempt } : {}),
  };
}
