/** soukosync's envelopes (`data`, `date`, `response`), in which an account's jobs are told, and their honest statuses. */
import { z } from '@hono/zod-openapi';
import type { AccountRun } from '../db/account-runs.ts';
import type { Diagnosis } from '../domain/outcome.ts';
import { faultIn } from '../domain/source-fault.ts';

const date = z
  .string()
  .describe('When it began; UTC, with microseconds.')
  .openapi({ format: 'date-time', example: '2020-08-16T11:34:23.588901Z' });

const errorData = z.object({
  __exception__: z.literal(true),
  id: z.null(),
  reason: z
    .string()
    .describe(
      'Of the API: timeout, nxdomain, econnrefused, unreachable, closed, tls, unauthorized, rate_limited, ' +
        'http_error or bad_answer; else cancelled, or the code of the diagnosis.',
    ),
});

export const OK = { data: '6 upserted', date: '2020-08-16T11:34:23.588901Z', response: 'ok' as const };
export const TIMED_OUT = {
  data: { __exception__: true as const, id: null, reason: 'timeout' },
  date: '2020-08-16T11:34:32.630631Z',
  response: 'error' as const,
};

export const okSchema = z
  .object({ data: z.string(), date, response: z.literal('ok') })
  .openapi('AccountSynced', { example: OK });
export const errorSchema = z
  .object({ data: errorData, date, response: z.literal('error') })
  .openapi('AccountNotSynced', { example: TIMED_OUT });
export const entrySchema = z
  .object({ data: z.union([z.string(), errorData]), date, response: z.enum(['ok', 'error']) })
  .openapi('AccountEntry', { example: OK });
export const pendingSchema = z
  .object({ data: z.string(), date, response: z.literal('pending') })
  .openapi('AccountPending', {
    example: { data: 'job 7 is running', date: OK.date, response: 'pending' },
  });

export type Envelope = z.infer<typeof okSchema> | z.infer<typeof errorSchema>;

/** Of a job that has ended. @returns its envelope, and the HTTP status that says the same */
export function envelopeOf(run: AccountRun): { envelope: Envelope; status: 200 | 409 | 500 | 502 | 504 } {
  if (run.status === 'completed') {
    return { envelope: { data: countsOf(run), date: run.began, response: 'ok' }, status: 200 };
  }
  const { reason, status } = run.diagnosis
    ? reasonOf(run.diagnosis)
    : { reason: 'cancelled', status: 409 as const };
  const data = { __exception__: true as const, id: null, reason };
  return { envelope: { data, date: run.began, response: 'error' }, status };
}

/** `records_done` of an upserting step is the user and its warehouses; `deleted` of a delete, what is unlinked. */
function countsOf({ steps }: AccountRun): string {
  return steps
    .map(({ action, records_done: done, deleted }) =>
      action === 'delete' ? `${deleted ?? '?'} deleted` : `${done ?? '?'} upserted`,
    )
    .join(', ');
}

/** Where the program's words were lost, its exit code says nearly as much. */
const BY_CODE: Readonly<Record<string, string>> = {
  source_timeout: 'timeout',
  source_unreachable: 'unreachable',
  source_unauthorized: 'unauthorized',
};

function reasonOf({ code, detail }: Diagnosis): { reason: string; status: 500 | 502 | 504 } {
  const fault = faultIn(detail) ?? BY_CODE[code];
  // What is not the API's fault is ours: settings, database, cluster.
  if (fault === undefined) return { reason: code, status: 500 };
  return { reason: fault, status: fault === 'timeout' ? 504 : 502 };
}
