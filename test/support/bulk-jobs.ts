/** Many jobs at once: names of their targets, their ids, and how many have each status. */
import type { System } from './system.ts';

/** `name0`, `name1` … */
export function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}`);
}

/**
 * Starts a job; `sync` by default, and further actions become further steps.
 * @returns its id
 * @throws Error if it was not created
 */
export async function submitted(
  system: System,
  target: string,
  ...[action = 'sync', ...further]: string[]
): Promise<number> {
  const result = await system.submit(target, action, ...further);
  if (result.kind !== 'created') throw new Error(`${target}: ${result.kind}`);
  return result.job.id;
}

/** Number of jobs per status, read from the rows. */
export async function countStatuses(
  { db }: Pick<System, 'db'>,
  ids: readonly number[],
): Promise<Record<string, number>> {
  const rows = await db.selectFrom('jobs').select('status').where('id', 'in', ids).execute();
  const counts: Record<string, number> = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
