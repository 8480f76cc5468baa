/** In words: which job a target is taken by. Pure. */
import type { Key } from './job.ts';
import type { JobStatus } from './status.ts';

export type Holder = Key & { readonly id: number; readonly action_name: string; readonly status: JobStatus };

export function heldBy({ id, env, target, action_name, status }: Holder): string {
  return `target '${target}' in env '${env}' is held by job ${id} (${action_name}, ${status})`;
}
