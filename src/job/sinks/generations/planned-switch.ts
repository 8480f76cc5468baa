/** A plan that makes a load live, as a sync does: the load stays in the state until the switch. */
import type { Applied, Load } from '../sink.ts';
import { type ForNext, generationAfter } from './next-generation.ts';
import type { Decided } from './plans.ts';
import type { Generation, HeldSet } from './state-parts.ts';

/** @param of.live what readers see @param of.held those that were carried over into the load */
export function switchToKeep(
  plan: ForNext,
  of: {
    load: Pick<Load, 'id'>;
    live: { readonly name: string; readonly generation: Generation | null } | null;
    held: HeldSet | null;
    applied: Applied;
  },
): Decided {
  const { load, live, held, applied } = of;
  const next = generationAfter(plan, { live: live?.generation ?? null, held });
  const { watermark, source_state, coarse_times, proven } = next;
  return {
    live: live?.name ?? null,
    load: load.id,
    records: null,
    gone: null,
    held,
    watermark,
    source_state,
    coarse_times,
    proven,
    applied: { ...applied, rejected: [...applied.rejected] },
  };
}

/** Why the load of a plan cannot become live any more. */
export const LOAD_GONE =
  'its load is gone: another one has taken its place, or it was removed or moved by hand';
