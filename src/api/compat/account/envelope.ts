/** The envelopes of soukosync (`data`, `date`, `response`) for jobs of an account, with matching HTTP statuses. */
import { z } from '@hono/zod-openapi';
import type { AccountRun } from '../../../db/views/account-runs.ts';
import type { Diagnosis } from '../../../domain/outcome.ts';
import { faultIn } from '../../../domain/source-fault.ts';

const date = z
  .string()
  .describe('When the job began; UTC, with microseconds.')
  .openapi({ format: 'date-time', example: '2020-08-16T11:34:23.588901Z' });

const errorData = z.object({
  __exception__: z.literal(true).describe('Always true.'),
  id: z.null().describe('Always null.'),
  reason: z
    .string()
    .describe(
      'A failure of the API: timeout, nxdomain, econnrefused, unreachable, closed, tls, unauthorized, rate_limited, ' +
        'http_error or bad_answer. Otherwise `cancelled`, or the code of the diagnosis.',
    ),
});

export const OK = { data: '6 upserted', date: '2020-08-16T11:34:23.588901Z', response: 'ok' as const };
export const TIMED_OUT = {
  data: { __exception__: true as const, id: null, reason: 'timeout' },
  date: '2020-08-16T11:34:32.630631Z',
  response: 'error' as const,
};

export const okSchema = z
  .object({
    data: z.string().describe('What was done, in words.'),
    date,
    response: z.literal('ok').describe('Always `ok`.'),
  })
  .openapi('AccountSynced', { example: OK });
export const errorSchema = z
  .object({
    data: errorData.describe('Why the job did not complete.'),
    date,
    response: z.literal('error').describe('Always `error`.'),
  })
  .openapi('AccountNotSynced', { example: TIMED_OUT });
export const entrySchema = z
  .object({
    data: z.union([z.string(), errorData]).describe('What was done, or why the job did not complete.'),
    date,
    response: z.enum(['ok', 'error']).describe('Whether the job completed.'),
  })
  .openapi('AccountEntry', { example: OK });
export const pendingSchema = z
  .object({
    data: z.string().describe('The state of the job, in words.'),
    date,
    response: z.literal('pending').describe('Always `pending`.'),
  })
  .openapi('AccountPending', {
    example: { data: 'job 7 is running', date: OK.date, response: 'pending' },
  });

/** An envelope with the HTTP status that says the same. */
export type Ended =
  | { readonly envelope: z.infer<typeof okSchema>; readonly status: 200 }
  | { readonly envelope: z.infer<typeof errorSchema>; readonly status: 409 | 500 | 502 | 504 };

/** The answer for a job that has ended. */
export function envelopeOf(run: AccountRun): Ended {
  if (run.status === 'completed') {
    return { envelope: { data: countsOf(run), date: run.began, response: 'ok' }, status: 200 };
  }
  const { reason, status } = run.diagnosis
    ? reasonOf(run.diagnosis)
    : { reason: 'cancelled', status: 409 as const };
  const data = { __exception__: true as const, id: null, reason };
  return { envelope: { data, date: run.began, response: 'error' }, status };
}

/** `records_done` of an upserting step counts the user and its warehouses; `deleted` of a delete counts unlinked ones. */
function countsOf({ steps }: AccountRun): string {
  return steps
    .map(({ action, records_done: done, deleted }) =>
      action === 'delete' ? `${deleted ?? '?'} deleted` : `${done ?? '?'} upserted`,
    )
    .join(', ');
}

/** Reasons by exit code, for programs whose message was lost. */
const BY_CODE: Readonly<Record<string, string>> = {
  source_timeout: 'timeout',
  source_unreachable: 'unreachable',
  source_unauthorized: 'unauthorized',
};

function reasonOf({ code, detail }: Diagnosis): { reason: string; status: 500 | 502 | 504 } {
  const fault = faultIn(detail) ?? BY_CODE[code];
  // Any other failure is on this side: settings, database, cluster.
  if (fault === undefined) return { reason: code, status: 500 };
  return { reason: fault, status: fault === 'timeout' ? 504 : 502 };
}
