/** The one test of "Temporal is away": our own deadline, or a connection that cannot be made. */
import { isGrpcServiceError } from '@temporalio/client';
import { TemporalAway } from './connect.ts';

/** gRPC's numbers for DEADLINE_EXCEEDED and UNAVAILABLE. */
const AWAY: readonly number[] = [4, 14];

export function isTemporalAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TemporalAway) return true;
  if (isGrpcServiceError(error) && AWAY.includes(error.code)) return true;
  return isTemporalAway(error.cause);
}
