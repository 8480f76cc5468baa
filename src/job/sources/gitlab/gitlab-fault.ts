/** What may go wrong with a call of GitLab: short words without secrets, and whether another try may help. */

import { JobError, type JobErrorCode } from '../../job-error.ts';

export type FaultKind =
  /** No answer at all: the name is unknown, nobody listens, the connection broke. */
  | 'unreachable'
  | 'timeout'
  /** 401: the token is good for nothing. */
  | 'unauthorized'
  /** 403: the token is not good for this. */
  | 'forbidden'
  /** 404. */
  | 'missing'
  /** Any other status that is no success. */
  | 'status'
  /** A success that is not what was asked for. */
  | 'content';

/** Of the whole run, where no item is to blame. */
const CODES: Readonly<Partial<Record<FaultKind, JobErrorCode>>> = {
  unreachable: 'sourceUnreachable',
  timeout: 'sourceTimeout',
  unauthorized: 'sourceUnauthorized',
  forbidden: 'sourceUnauthorized',
};

export class GitlabFault extends Error {
  override readonly name = 'GitlabFault';
  readonly kind: FaultKind;
  readonly mayPass: boolean;
  /** How long GitLab told us to wait; null if it did not. */
  readonly waitMs: number | null;

  constructor(
    kind: FaultKind,
    message: string,
    {
      cause,
      mayPass = false,
      waitMs = null,
    }: { cause?: unknown; mayPass?: boolean; waitMs?: number | null } = {},
  ) {
    super(message, { cause });
    this.kind = kind;
    this.mayPass = mayPass;
    this.waitMs = waitMs;
  }

  /** As the end of the run. */
  asJobError(): JobError {
    return new JobError(CODES[this.kind] ?? 'failed', `GitLab: ${this.message}`, { cause: this });
  }
}
