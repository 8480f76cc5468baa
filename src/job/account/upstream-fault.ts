/** What can be wrong with a call of the account's API: the word for it, whether it may pass, how the program ends. */

import { type SourceFault, withFault } from '../../domain/source-fault.ts';
import { JobError, type JobErrorCode, reasonOf } from '../job-error.ts';
import { networkFaultOf } from '../network-fault.ts';

export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault';
  readonly fault: SourceFault;
  /** Of an answer that was one. */
  readonly status: number | null;
  /** When the API wants to be asked again. */
  readonly retryAfterMs: number | null;

  constructor(
    fault: SourceFault,
    words: string,
    options: ErrorOptions & { status?: number; retryAfterMs?: number | null } = {},
  ) {
    super(words, options);
    this.fault = fault;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  /** Whether the next try may fare better. */
  get mayPass(): boolean {
    return this.fault === 'http_error' ? (this.status ?? 0) >= 500 : MAY_PASS.includes(this.fault);
  }

  /** The program's end. */
  toJobError(): JobError {
    return new JobError(ENDS[this.fault] ?? 'failed', withFault(this.message, this.fault), { cause: this });
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

/** What the network did to a call. @param where the call as it may be shown */
export function networkFault(error: unknown, where: string): UpstreamFault {
  return new UpstreamFault(networkFaultOf(error), `${where}: ${reasonOf(error)}`, { cause: error });
}
