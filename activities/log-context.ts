/** Adds job, step, attempt and trace to every log line of an activity, those of Temporal's SDK included. */
import { Context } from '@temporalio/activity';
import type { JobRow } from '../src/db/schema.ts';
import { traceFields } from '../src/domain/trace.ts';

type Fields = {
  readonly job?: number;
  readonly step?: number;
  readonly attempt?: number;
  readonly trace_id?: string;
};

/** The part of an activity's input that its log lines name. */
export type LoggedJob = { readonly jobId: number; readonly traceparent?: string | null | undefined };

const fieldsOf = new WeakMap<Context, Fields>();

/** Adds the job and its trace to every further line of the current activity. */
export function bindLogContext(job: Pick<JobRow, 'id' | 'traceparent'>): void {
  const context = Context.current();
  fieldsOf.set(context, { ...fieldsOf.get(context), job: job.id, ...traceFields(job.traceparent) });
}

/** For the worker's `interceptors.activity`. */
export function logContextInterceptor(context: Context) {
  return {
    inbound: {
      // Bind the fields of the input first: the activity may fail before it reads the job from Postgres.
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
        // In our logs `attempt` is a step's; the activity's own goes by another name.
        return next({ ...attributes, activityAttempt: attempt, ...fieldsOf.get(context) });
      },
    },
  };
}

function fieldsIn(input: unknown): Fields | undefined {
  if (typeof input !== 'object' || input === null || !('jobId' in input)) return undefined;
  const of: { jobId: unknown; step?: unknown; attempt?: unknown; traceparent?: unknown } = input;
  const { jobId: job, step, attempt, traceparent } = of;
  return {
    ...(typeof job === 'number' ? { job } : {}),
    ...(typeof step === 'number' ? { step } : {}),
    ...(typeof attempt === 'number' ? { attempt } : {}),
    ...(typeof traceparent === 'string' ? traceFields(traceparent) : {}),
  };
}
