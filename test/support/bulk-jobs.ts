/** Many jobs at once: their targets, their ids, and how many have which status. */
import type { System } from './system.ts';

/** `name0`, `name1` … */
export function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}`);
}

/** The new job's id; `sync` unless told, and further actions become further steps. @throws Error when it was not created */
export async function submitted(
  system: System,
  target: string,
  ...[action = 'sync', ...further]: string[]
): Promise<number> {
  const result = await system.submit(target, action, ...further);
  if (result.kind !== 'created') throw new Error(`${target}: ${result.kind}`);
  return result.job.id;
}

/** `status` → how many of them, by the rows. */
export async function countStatuses(
  { db }: Pick<System, 'db'>,
  ids: readonly number[],
): Promise<Record<string, number>> {
  const rows = await db.selectFrom('jobs').select('status').where('id', 'in', ids).execute();
  const counts: Record<string, number> = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
