/** Classifies errors of the sink's database: the exit code, and whether a retry may help. Pure. */
import { DatabaseError } from 'pg';
import { mayPoolerPass, poolerRemedy, PROTOCOL_VIOLATION } from '../../../domain/pooler-errors.ts';
import { JobError, type JobErrorCode, reasonOf } from '../../job-error.ts';

/** Starting up or shutting down, too many connections, a connection that broke (classes 57P0x, 53300, 08). */
const AWAY = /^(57P0[123]|53300|08)/;
/** Serialization failure, deadlock: the whole transaction can be retried. */
const COLLISION = new Set(['40001', '40P01']);
const LOCK_NOT_AVAILABLE = '55P03';
const READ_ONLY = '25006';
/** Data exception, integrity constraint violation. */
const REFUSAL = /^(22|23)/;
export const UNIQUE_VIOLATION = '23505';
const NO_RIGHT = '42501';
/** Wrong password, unknown role, unknown database. */
const NOT_LET_IN = new Set(['28P01', '28000', '3D000']);

const NETWORK =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)|Connection terminated|timeout expired|Query read timeout/;

/** A transient fault: the caller retries within bounds. */
export type PassingFault = 'away' | 'read-only' | 'collision' | 'locked';

/** Another session changed the same records: the whole transaction is retried and sees its changes. */
export class Collided extends Error {
  override readonly name = 'Collided';

  constructor(cause: unknown) {
    super('another session has changed the same records', { cause });
  }
}

/** The table refuses a record. */
export function isRefusal(error: unknown): boolean {
  return REFUSAL.test(sqlState(error) ?? '');
}

export function asSinkError(error: unknown): JobError {
  if (error instanceof JobError) return error;
  const [code, words] = meaningOf(error);
  return new JobError(code, `sink: ${words}`, { cause: error });
}

function meaningOf(error: unknown): [JobErrorCode, string] {
  const passing = passingFault(error);
  if (passing === 'away') return ['sinkUnreachable', `cannot reach Postgres: ${reasonOf(error)}`];
  if (passing === 'read-only') {
    return [
      'sinkReadOnly',
      'this Postgres accepts no writes (it is a standby or read-only); point SINK_URL at the primary',
    ];
  }
  if (passing === 'locked') return ['sinkBusy', reasonOf(error)];
  const state = sqlState(error);
  if (state === NO_RIGHT) return ['sinkPermission', reasonOf(error)];
  if (state !== null && NOT_LET_IN.has(state))
    return ['notConfigured', `${reasonOf(error)}; correct SINK_URL`];
  if (state === PROTOCOL_VIOLATION)
    return ['notConfigured', `${reasonOf(error)}; ${poolerRemedy(reasonOf(error))}`];
  return ['failed', reasonOf(error)];
}

/** Null if a retry would not help. */
export function passingFault(error: unknown): PassingFault | null {
  // Transient, because a failover may promote the standby.
  if (error instanceof JobError && error.code === 'sinkReadOnly') return 'read-only';
  const cause = causeOf(error);
  if (cause instanceof Collided) return 'collision';
  const state = sqlState(cause);
  if (state === null) return NETWORK.test(networkWords(cause)) ? 'away' : null;
  if (state === PROTOCOL_VIOLATION) return mayPoolerPass(reasonOf(cause)) ? 'away' : null;
  if (AWAY.test(state)) return 'away';
  if (state === READ_ONLY) return 'read-only';
  if (COLLISION.has(state)) return 'collision';
  return state === LOCK_NOT_AVAILABLE ? 'locked' : null;
}

/** The underlying error of the database or the network. */
export function causeOf(error: unknown): unknown {
  return error instanceof JobError && error.cause !== undefined ? error.cause : error;
}

/** The SQLSTATE; null for an error that is not from the database. */
export function sqlState(error: unknown): string | null {
  const cause = causeOf(error);
  return cause instanceof DatabaseError ? (cause.code ?? null) : null;
}

/** Name of the violated constraint or index. */
export function constraintIn(error: unknown): string | null {
  const cause = causeOf(error);
  return cause instanceof DatabaseError ? (cause.constraint ?? null) : null;
}

function networkWords(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code } = error as NodeJS.ErrnoException;
  const inner = error instanceof AggregateError ? networkWords(error.errors[0]) : '';
  return code ?? (inner || error.message);
}
