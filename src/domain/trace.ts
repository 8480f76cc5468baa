/** W3C Trace Context: one id for a call, the job it asked for, the program that runs and what they all log. Pure. */

/** `00-<trace>-<parent>-<flags>`, in lower case; of later versions the rest is let be. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = '01';

export type Trace = { readonly traceId: string; readonly flags: string };

/** Undefined for what is none: it is let be, and a new trace begins. */
export function parseTraceparent(text: string | null | undefined): Trace | undefined {
  const [, version, traceId, , flags, rest] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || flags === undefined || (version === '00' && rest !== undefined))
    return undefined;
  return { traceId, flags };
}

/**
 * A traceparent of ours.
 * @param of.spanId 16 hexadecimal digits that are new
 * @param of.continues what another one sent, whatever it is
 * @param of.traceId 32 hexadecimal digits that are new: the trace, unless one goes on
 */
export function makeTraceparent(of: {
  spanId: string;
  traceId: string;
  continues?: string | undefined;
}): string {
  const { traceId, flags } = parseTraceparent(of.continues) ?? { traceId: of.traceId, flags: SAMPLED };
  return `00-${traceId}-${of.spanId}-${flags}`;
}

/** As lines of logs have it: nothing where there is no trace. */
export function traceFields(traceparent: string | null | undefined): { readonly trace_id?: string } {
  const trace = parseTraceparent(traceparent);
  return trace ? { trace_id: trace.traceId } : {};
}
