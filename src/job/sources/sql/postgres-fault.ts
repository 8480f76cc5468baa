/** The meaning of errors of a source in Postgres. */
import { withFault } from '../../../domain/source-fault.ts';
import { reasonOf } from '../../job-error.ts';
import { networkFaultOf } from '../../network-fault.ts';
import { passingFault, sqlState } from '../../sinks/postgres/sink-fault.ts';
import { type SqlFault, tookTooLong, WRITES } from './sql-fault.ts';

/** Wrong password, unknown role. */
const NOT_LET_IN = new Set(['28P01', '28000']);
const UNKNOWN_DATABASE = '3D000';
const CANCELLED = '57014';
const LOCKED = '55P03';
const NO_RIGHT = '42501';
const READ_ONLY = '25006';
/** Syntax errors and unknown names. */
const WRONG_SQL = /^42/;

export function postgresFault(error: unknown, statementMs: number): SqlFault {
  const state = sqlState(error);
  const reason = reasonOf(error);
  const passing = passingFault(error);
  if (state === null && networkFaultOf(error) === 'tls') {
    const fix = "set sslrootcert in SOURCE_URL to the authority of the server's certificate";
    return { code: 'sourceUnreachable', words: withFault(`${reason}; ${fix}`, 'tls') };
  }
  if (passing === 'away' || passing === 'collision') return { code: 'away', words: reason };
  if (state === READ_ONLY) return { code: 'notConfigured', words: `${WRITES} (${reason})` };
  if (state === CANCELLED || state === LOCKED) return tookTooLong(statementMs, reason);
  if (state === NO_RIGHT) {
    const policy = reason.includes('row-level security');
    const fix = policy
      ? 'it would hide rows without a word, so give the role BYPASSRLS or read a table without a policy'
      : 'GRANT SELECT to the role of SOURCE_URL';
    return { code: 'sourceUnauthorized', words: `${reason}; ${fix}` };
  }
  if (state !== null && NOT_LET_IN.has(state))
    return { code: 'sourceUnauthorized', words: `${reason}; correct user and password in SOURCE_URL` };
  if (state === UNKNOWN_DATABASE || /does not support SSL/.test(reason))
    return { code: 'notConfigured', words: `${reason}; correct SOURCE_URL` };
  if (state !== null && WRONG_SQL.test(state))
    return { code: 'notConfigured', words: `${reason}; correct SOURCE_TABLE or SOURCE_QUERY` };
  return { code: 'failed', words: reason };
}
