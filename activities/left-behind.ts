/** Describes the remaining objects of a job: held by a finalizer, or given up by a force-delete. Pure. */
import { cut } from '../src/domain/outcome.ts';
import type { Listed } from '../src/runner/runner.ts';

export type LeftBehind = {
  /** One description per object. */
  readonly objects: readonly string[];
  /** For the job's detail. */
  readonly detail: string;
};

export function leftBehind(listed: readonly Listed[]): LeftBehind | undefined {
  const running = listed.filter(({ live }) => live).map(({ name }) => name);
  const held = listed.flatMap((one) => one.held ?? []);
  if (running.length + held.length === 0) return undefined;
  const told = [
    running.length > 0 &&
      `Did not end by force and may still run: ${running.join(', ')}; the next job of the target waits for its end.`,
    held.length > 0 && `Has ended but cannot be deleted yet: ${held.join('; ')}.`,
  ];
  return {
    objects: [...running.map((name) => `${name}, not ended`), ...held],
    detail: cut(told.filter(Boolean).join('\n')),
  };
}
