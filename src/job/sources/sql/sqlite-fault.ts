/** The meaning of errors of SQLite. */
import { withFault } from '../../../domain/source-fault.ts';
import { reasonOf } from '../../job-error.ts';
import { type SqlFault, tookTooLong, WRITES } from './sql-fault.ts';

export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

const [WRONG_SQL, BUSY, LOCKED, READ_ONLY, IO_ERROR, CORRUPT, CANNOT_OPEN, NO_DATABASE] = [
  1, 5, 6, 8, 10, 11, 14, 26,
];

export function sqliteFault(
  error: unknown,
  { path, statementMs }: { path: string; statementMs: number },
): SqlFault {
  const reason = reasonOf(error);
  if (error instanceof DeadlinePassed) return tookTooLong(statementMs, reason);
  // The low byte is the code that the extended ones refine.
  const code = Number((error as { errcode?: number }).errcode) & 0xff;
  if (code === BUSY || code === LOCKED) return { code: 'away', words: reason };
  if (code === READ_ONLY) return { code: 'notConfigured', words: `${WRITES} (${reason})` };
  if (code === CANNOT_OPEN) {
    const fix = 'check its path, that this program may read it, and write beside it if it is in WAL mode';
    return {
      code: 'sourceUnreachable',
      words: withFault(`cannot open ${path} (${reason}); ${fix}`, 'unreachable'),
    };
  }
  if (code === IO_ERROR) {
    const words = `cannot read ${path} (${reason}); check that it is a file, and the disk that holds it`;
    return { code: 'sourceUnreachable', words: withFault(words, 'unreachable') };
  }
  if (code === CORRUPT)
    return { code: 'failed', words: `${path}: ${reason}; it may be cut off or half copied: copy it again` };
  if (code === NO_DATABASE) return { code: 'notConfigured', words: `${path}: ${reason}; correct SOURCE_URL` };
  if (code === WRONG_SQL)
    return { code: 'notConfigured', words: `${reason}; correct SOURCE_TABLE or SOURCE_QUERY` };
  return { code: 'failed', words: reason };
}
