/** The error of a GitLab call: its kind, a short message without secrets, and whether a retry may help. */
import { type SourceFault, withFault } from '../../../domain/source-fault.ts';
import { JobError, type JobErrorCode } from '../../job-error.ts';
import type { HttpFault } from '../../http/http-fault.ts';
import { networkFaultOf } from '../../network-fault.ts';

export type FaultKind =
  /** No answer: unknown host, refused or broken connection. */
  | 'unreachable'
  | 'timeout'
  /** 401: the token is invalid. */
  | 'unauthorized'
  /** 403: the token lacks the right. */
  | 'forbidden'
  /** 404. */
  | 'missing'
  /** 429. */
  | 'limited'
  /** 502, 503, 504: a proxy reports that GitLab is unavailable. */
  | 'away'
  /** Any other error status. */
  | 'status'
  /** A success status with an unusable body. */
  | 'content';

const WORDS: Readonly<Record<Exclude<FaultKind, 'unreachable'>, SourceFault>> = {
  timeout: 'timeout',
  unauthorized: 'unauthorized',
  forbidden: 'unauthorized',
  missing: 'http_error',
  limited: 'rate_limited',
  away: 'http_error',
  status: 'http_error',
  content: 'bad_answer',
};

/** Exit codes of faults that end the run. */
const CODES: Readonly<Partial<Record<FaultKind, JobErrorCode>>> = {
  unreachable: 'sourceUnreachable',
  away: 'sourceUnreachable',
  timeout: 'sourceTimeout',
  unauthorized: 'sourceUnauthorized',
  forbidden: 'sourceUnauthorized',
};

type FaultOptions = {
  readonly cause?: unknown;
  readonly mayPass?: boolean;
  readonly waitMs?: number | null;
  readonly endsRun?: boolean;
};

export class GitlabFault extends Error {
  override readonly name = 'GitlabFault';
  readonly kind: FaultKind;
  readonly mayPass: boolean;
  /** The wait that GitLab asks for; null if none. */
  readonly waitMs: number | null;
  /** Every other call would fail too, so the fault ends the run instead of failing one item. */
  readonly endsRun: boolean;

  constructor(
    kind: FaultKind,
    message: string,
    { cause, mayPass = false, waitMs = null, endsRun = kind === 'unauthorized' }: FaultOptions = {},
  ) {
    super(message, { cause });
    this.kind = kind;
    this.mayPass = mayPass;
    this.waitMs = waitMs;
    this.endsRun = endsRun;
  }

  /** Converts an HttpFault: no answer, or an unusable one. */
  static of({ fault, message, cause, mayPass }: HttpFault): GitlabFault {
    const kind = fault === 'timeout' ? 'timeout' : fault === 'bad_answer' ? 'content' : 'unreachable';
    // An untrusted certificate fails every call.
    return new GitlabFault(kind, message, { cause, mayPass, endsRun: fault === 'tls' });
  }

  /** GitLab itself may be unavailable. */
  get isSilence(): boolean {
    return this.kind === 'unreachable' || this.kind === 'timeout' || this.kind === 'away';
  }

  /** The same fault, ending the run because GitLab answers no call. */
  ofAll(): GitlabFault {
    return new GitlabFault(this.kind, this.message, { cause: this.cause, endsRun: true });
  }

  /** The error that ends the run. */
  asJobError(): JobError {
    const words = withFault(`GitLab: ${this.message}`, this.#word());
    return new JobError(CODES[this.kind] ?? 'failed', words, { cause: this });
  }

  #word(): SourceFault {
    return this.kind === 'unreachable' ? networkFaultOf(this.cause) : WORDS[this.kind];
  }
}
