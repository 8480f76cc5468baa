/**
 * W3C Trace Context: one trace id for a call, the job it asked for, the running program, and the log lines of all
 * three. Pure.
 */

/** `00-<trace>-<parent>-<flags>`, in lower case; later versions may append more, which is ignored. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = '01';

export type Trace = { readonly traceId: string; readonly flags: string };

/** Undefined for an invalid header: it is ignored, and a new trace begins. */
export function parseTraceparent(text: string | null | undefined): Trace | undefined {
  const [, version, traceId, , flags, rest] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || flags === undefined || (version === '00' && rest !== undefined))
    return undefined;
  return { traceId, flags };
}

/**
 * Makes a traceparent.
 * @param of.spanId 16 new hexadecimal digits
 * @param of.continues the traceparent of another party, unchecked
 * @param of.traceId 32 new hexadecimal digits: the trace, unless another one continues
 */
export function makeTraceparent(of: {
  spanId: string;
  traceId: string;
  continues?: string | undefined;
}): string {
  const { traceId, flags } = parseTraceparent(of.continues) ?? { traceId: of.traceId, flags: SAMPLED };
  return `00-${traceId}-${of.spanId}-${flags}`;
}

/** The fields of a log line: empty without a trace. */
export function traceFields(traceparent: string | null | undefined): { readonly trace_id?: string } {
  const trace = parseTraceparent(traceparent);
  return trace ? { trace_id: trace.traceId } : {};
}
