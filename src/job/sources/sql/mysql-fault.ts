/** The meaning of errors of MySQL and MariaDB, by their numbers. */
import { withFault } from '../../../domain/source-fault.ts';
import { reasonOf } from '../../job-error.ts';
import { type SqlFault, tookTooLong, WRITES } from './sql-fault.ts';

/** The server did not send a row for too long. */
export class SilentServer extends Error {
  override readonly name = 'SilentServer';
}

/** Too many connections, shutting down, killed, deadlock, a table that was altered since the snapshot. */
const AWAY = new Set([
  1040, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1203, 1213, 1226, 1317, 1412, 1927,
]);
const TOO_LONG = new Set([1205, 1969, 3024]);
const NOT_LET_IN = new Set([1044, 1045, 1251, 1698, 3118]);
const NO_RIGHT = new Set([1142, 1143, 1227, 1345, 1370]);
const WRITING = new Set([1290, 1792, 1836]);
const UNKNOWN_DATABASE = 1049;
/** Syntax, unknown or ambiguous names, wrong types. */
const WRONG_SQL = new Set([1051, 1052, 1054, 1060, 1064, 1146, 1248, 1305, 1347, 1356, 1630]);

export function mysqlFault(error: unknown, statementMs: number): SqlFault {
  const reason = reasonOf(error);
  if (error instanceof SilentServer) return tookTooLong(statementMs, reason);
  const { errno = 0, code = '', fatal = false } = error as { errno?: number; code?: string; fatal?: boolean };
  if (code === 'HANDSHAKE_SSL_ERROR') {
    const words = `${reason}; set ssl-ca in SOURCE_URL to the authority of the server's certificate`;
    return { code: 'sourceUnreachable', words: withFault(words, 'tls') };
  }
  // The driver refuses statements on a connection that has broken, without a code.
  const isBroken = isNetwork(code) || (fatal && errno === 0 && code === '');
  if (AWAY.has(errno) || isBroken) return { code: 'away', words: reason };
  if (TOO_LONG.has(errno)) return tookTooLong(statementMs, reason);
  if (NOT_LET_IN.has(errno))
    return { code: 'sourceUnauthorized', words: `${reason}; correct user and password in SOURCE_URL` };
  if (NO_RIGHT.has(errno))
    return { code: 'sourceUnauthorized', words: `${reason}; GRANT SELECT to the user of SOURCE_URL` };
  if (WRITING.has(errno)) return { code: 'notConfigured', words: `${WRITES} (${reason})` };
  if (errno === UNKNOWN_DATABASE || code === 'HANDSHAKE_NO_SSL_SUPPORT')
    return { code: 'notConfigured', words: `${reason}; correct SOURCE_URL` };
  if (WRONG_SQL.has(errno))
    return { code: 'notConfigured', words: `${reason}; correct SOURCE_TABLE or SOURCE_QUERY` };
  return { code: 'failed', words: reason };
}

/** Codes of the system and of the driver for a broken connection. */
function isNetwork(code: string): boolean {
  return /^(E[A-Z]+|PROTOCOL_CONNECTION_LOST)$/.test(code);
}
