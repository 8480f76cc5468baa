/** Drops a plan that is too old to be applied, so that the records that it keeps do not outlive it. */
import { PLAN_DAYS } from '../../../domain/change-plan.ts';
import type { Writer } from '../writer.ts';
import type { FencedStore } from './fenced-store.ts';
import type { Planned } from './state-parts.ts';

const DAY_MS = 86_400_000;

export function isExpired({ born }: Pick<Planned, 'born'>): boolean {
  return Date.parse(born) < Date.now() - PLAN_DAYS * DAY_MS;
}

/** An apply keeps the plan, and says that it is too old. */
export async function dropExpiredPlan<S extends { readonly planned: Planned | null }>(
  store: FencedStore<S>,
  { action }: Pick<Writer, 'action'>,
): Promise<void> {
  if (action === 'apply') return;
  const { planned } = await store.read();
  if (planned && isExpired(planned))
    await store.change((state) => ({ ...state, planned: null }), { durable: true });
}
