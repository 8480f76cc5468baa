/** Waits until all jobs of a load are right again. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Rig } from '../rig/rig.ts';
import type { Load } from './load.ts';

/** Time limit on an idle machine; the programs allow less. */
const LIMIT_MS = 180_000;

/** @returns the seconds since `from` (milliseconds since 1970), and what was wrong last */
export async function untilRight(
  { busyness }: Pick<Rig, 'busyness'>,
  load: Load,
  from: number,
): Promise<{ seconds: number; last: string[] }> {
  let last: string[] = [];
  for (; Date.now() < from + LIMIT_MS * busyness.factor(from); await wait(200)) {
    const wrong = await load.wrong().catch((error: unknown) => [String(error)]); // Postgres is coming back
    if (wrong.length === 0) break;
    last = wrong;
  }
  return { seconds: Math.round((Date.now() - from) / 100) / 10, last };
}

/** The id of a completed job of target `over`. */
export async function endedJob(rig: Rig): Promise<number> {
  const id = await rig.api.started({ target: 'over', action: 'sync', options: '--seconds 0' });
  await rig.api.until(id, ({ status }) => status === 'completed');
  return id;
}
