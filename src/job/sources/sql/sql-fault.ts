/** Maps errors of a source's database to the errors that end or pause a run. */
import { maskCredentials } from '../../../domain/mask.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { JobError, type JobErrorCode } from '../../job-error.ts';
import { networkFaultOf } from '../../network-fault.ts';

/** `away`: the server is unreachable or ended the session, so a retry may help. */
export type SqlFault = { readonly code: JobErrorCode | 'away'; readonly words: string };

/**
 * An HttpFault for a server that is away, since the patience of src/job/http/outage.ts is for those; else a JobError.
 *
 * @param shownAs the source, without credentials
 */
export function sqlError({ code, words }: SqlFault, shownAs: string, cause: unknown): HttpFault | JobError {
  // A database may quote what a SELECT contains.
  const masked = maskCredentials(words);
  if (code === 'away') return new HttpFault(networkFaultOf(cause), `${shownAs}: ${masked}`, { cause });
  return new JobError(code, `source: ${masked}`, { cause });
}

export const WRITES = 'SOURCE_QUERY writes; the session is read-only, so use a SELECT that only reads';

export function tookTooLong(statementMs: number, reason: string): SqlFault {
  const limit = statementMs < 1000 ? `${statementMs} ms` : `${Math.round(statementMs / 1000)} s`;
  return {
    code: 'sourceTimeout',
    words: `a statement took longer than ${limit} (${reason}); find out what holds it up, or make SOURCE_QUERY cheaper`,
  };
}
