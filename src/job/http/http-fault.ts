/** The error of an HTTP call: its SourceFault, whether a retry may help, and the exit code it leads to. */
import { type SourceFault, withFault } from '../../domain/source-fault.ts';
import { JobError, type JobErrorCode, reasonOf } from '../job-error.ts';
import { networkFaultOf } from '../network-fault.ts';

export class HttpFault extends Error {
  override readonly name = 'HttpFault';
  readonly fault: SourceFault;
  /** Status of the response; null without one. */
  readonly status: number | null;
  /** From Retry-After; null if absent. */
  readonly retryAfterMs: number | null;
  /** True if a retry may succeed. */
  readonly mayPass: boolean;

  constructor(
    fault: SourceFault,
    words: string,
    options: ErrorOptions & {
      status?: number;
      retryAfterMs?: number | null;
      /** Overrides the default, which follows from fault and status. */
      mayPass?: boolean;
    } = {},
  ) {
    super(words, options);
    this.fault = fault;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.mayPass = options.mayPass ?? (MAY_PASS.includes(fault) || (this.status ?? 0) >= 500);
  }

  /** The error that ends the program. @param more appended to the message: retries made, and the fix */
  toJobError(more = ''): JobError {
    const words = withFault(`${this.message}${more}`, this.fault);
    return new JobError(ENDS[this.fault] ?? 'failed', words, { cause: this });
  }
}

const MAY_PASS: readonly SourceFault[] = [
  'timeout',
  'nxdomain',
  'econnrefused',
  'unreachable',
  'closed',
  'rate_limited',
];

const ENDS: Readonly<Partial<Record<SourceFault, JobErrorCode>>> = {
  timeout: 'sourceTimeout',
  nxdomain: 'sourceUnreachable',
  econnrefused: 'sourceUnreachable',
  unreachable: 'sourceUnreachable',
  closed: 'sourceUnreachable',
  tls: 'sourceUnreachable',
  unauthorized: 'sourceUnauthorized',
};

/** Wraps a network error. @param where the request as it appears in errors */
export function networkFault(error: unknown, where: string): HttpFault {
  return new HttpFault(networkFaultOf(error), `${where}: ${reasonOf(error)}`, { cause: error });
}

/** Maps an unexpected status to a fault. @param retryAfterMs from the answer's Retry-After */
export function statusFault(status: number, where: string, retryAfterMs: number | null): HttpFault {
  const words = `${where} answered ${status}`;
  if (status === 401 || status === 403)
    return new HttpFault('unauthorized', `${words}: it refuses our credentials`, { status });
  return new HttpFault(status === 429 ? 'rate_limited' : 'http_error', words, { status, retryAfterMs });
}
