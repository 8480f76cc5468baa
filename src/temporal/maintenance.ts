/** Pausing and unpausing: the flag is Postgres', the pokes after it are ours. */
import { type Maintenance, setMaintenance as store } from '../db/maintenance.ts';
import { listHeld } from '../db/reconcile.ts';
import { poke } from './poke.ts';
import type { SubmitDeps } from './submit.ts';

/** Sets the flag; unpausing pokes what was held back, in id order. */
export async function setMaintenance(
  deps: SubmitDeps,
  input: Parameters<typeof store>[1],
): Promise<Maintenance> {
  const maintenance = await store(deps.db, input);
  if (!maintenance.paused)
    for (const key of await listHeld(deps.db)) {
      try {
        await poke(deps.temporal, key);
      } catch (error) {
        deps.log.warn({ err: error }, 'poke after maintenance failed; the reconciler goes on in id order');
        break;
      }
    }
  return maintenance;
}
