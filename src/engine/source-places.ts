/** Pokes the jobs that may begin because a job of their source has ended. */
import { listWaitingForSource } from '../db/jobs/source-places.ts';
import type { Db } from '../db/schema.ts';
import type { SourceLimits } from '../domain/source-limit.ts';
import type { Temporal } from '../temporal/connect.ts';
import { poke } from '../temporal/poke.ts';

type Deps = { readonly db: Db; readonly temporal: Temporal; readonly limits: SourceLimits };

/** Never fails: the reconciler pokes again. Safe to repeat. */
export async function pokeSource(
  { db, temporal, limits }: Deps,
  source: string,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    const free = (await listWaitingForSource(db, limits, source)).filter(({ words }) => words === null);
    await Promise.all(free.map((key) => poke(temporal, key)));
  } catch (error) {
    onError(error);
  }
}
