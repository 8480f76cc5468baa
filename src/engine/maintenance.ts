/** Pauses and resumes all starts. Postgres holds the flag; the jobs that were held back are poked from here. */
import { type Maintenance, setMaintenance as store } from '../db/maintenance.ts';
import { listHeld } from '../db/jobs/reconcile.ts';
import { poke } from '../temporal/poke.ts';
import type { StartDeps } from './start-job.ts';

/** Sets the flag. After a resume it pokes the jobs that were held back, in the order of their ids. */
export async function setMaintenance(
  deps: StartDeps,
  input: Parameters<typeof store>[1],
): Promise<Maintenance> {
  const maintenance = await store(deps.db, input);
  if (!maintenance.paused)
    for (const key of await listHeld(deps.db)) {
      try {
        await poke(deps.temporal, key);
      } catch (error) {
        deps.log.warn(
          { err: error },
          'poke after maintenance failed; the reconciler pokes the remaining jobs',
        );
        break;
      }
    }
  return maintenance;
}
