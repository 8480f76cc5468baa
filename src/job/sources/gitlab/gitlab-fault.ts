/** What may go wrong with a call of GitLab: short words without secrets, and whether another try may help. */

import { type SourceFault, withFault } from '../../../domain/source-fault.ts';
import { JobError, type JobErrorCode } from '../../job-error.ts';
import { networkFaultOf } from '../../network-fault.ts';

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

const WORDS: Readonly<Record<Exclude<FaultKind, 'unreachable'>, SourceFault>> = {
  timeout: 'timeout',
  unauthorized: 'unauthorized',
  forbidden: 'unauthorized',
  missing: 'http_error',
  status: 'http_error',
  content: 'bad_answer',
};

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
    const words = withFault(`GitLab: ${this.message}`, this.#word());
    return new JobError(CODES[this.kind] ?? 'failed', words, { cause: this });
  }

  #word(): SourceFault {
    return this.kind === 'unreachable' ? networkFaultOf(this.cause) : WORDS[this.kind];
  }
}
