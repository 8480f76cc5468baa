/** Tells whether an error means that Temporal is unreachable: our own deadline, or a failed connection. */
import { isGrpcServiceError } from '@temporalio/client';
import { TemporalUnavailable } from './connect.ts';

/** gRPC's numbers for DEADLINE_EXCEEDED and UNAVAILABLE. */
const UNAVAILABLE: readonly number[] = [4, 14];

export function isTemporalUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TemporalUnavailable) return true;
  if (isGrpcServiceError(error) && UNAVAILABLE.includes(error.code)) return true;
  return isTemporalUnavailable(error.cause);
}
