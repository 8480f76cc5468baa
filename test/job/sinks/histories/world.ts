/**
 * What a sink may hold: its live records, what waits for an answer, the generation that it keeps, the copies of what was
 * removed. After a kill several worlds are possible, until the next look tells them apart. Pure.
 */
import type { Rows } from '../../support/live-rows.ts';

export type Generation = {
  readonly live: Rows;
  /** Whose removal waits, with those that are not live. */
  readonly named: ReadonlySet<string>;
  readonly proven: boolean;
  /** The chapter up to which it has the changes of the source. */
  readonly readTo: number;
};

/** `if gone`: unless its record is still live after the kill. */
export type Copy = {
  readonly job: number;
  readonly id: string;
  readonly text: string;
  readonly sure: boolean | 'if gone';
};

/** One step of one job. Jobs that resume each other share the origin. */
export type StepName = {
  readonly job: number;
  readonly origin: number;
  readonly step: number;
  readonly action: string;
};

export type Switcher = { readonly job: number; readonly action: string };

export type World = Generation & {
  readonly kept: (Generation & { readonly by: Switcher }) | null;
  /** In the order of their removals. */
  readonly copies: readonly Copy[];
  /** The applied steps, the newest last. */
  readonly done: readonly StepName[];
  /** An interrupted switch, which the next run finishes. */
  readonly pending: {
    readonly world: World;
    /** The job whose work an interrupted rollback undoes; null: it is a sync. */
    readonly undoes: number | null;
  } | null;
};

export const EMPTY: World = {
  live: new Map(),
  named: new Set(),
  proven: false,
  readTo: -1,
  kept: null,
  copies: [],
  done: [],
  pending: null,
};

/** The world once a run has opened the sink. */
export function opened(world: World): World {
  return world.pending?.world ?? world;
}

export function generationOf({ live, named, proven, readTo }: Generation): Generation {
  return { live, named, proven, readTo };
}

export function isDone({ done }: World, step: StepName): boolean {
  if (done.some(({ job, step: nth }) => job === step.job && nth === step.step)) return true;
  const resumed = (one: StepName | undefined): boolean =>
    one?.origin === step.origin && one.action === step.action && one.step === step.step;
  if (step.action === 'rollback') return done.some(resumed);
  return step.action === 'sync' && resumed(done.at(-1));
}

export function withDone(world: World, step: StepName): World {
  return { ...world, done: [...world.done, step] };
}

/** The copies with those of these live records, which a job removes. */
export function copied(
  { copies, live }: World,
  gone: readonly string[],
  of: { job: number; sure: Copy['sure'] },
): readonly Copy[] {
  return [...copies, ...gone.flatMap((id) => ({ ...of, id, text: live.get(id) ?? '' }))];
}

/** While there are more than twice as many copies as live records, those of the oldest jobs may go. */
export function purged(world: World): World {
  const { copies, live } = world;
  if (copies.length <= 2 * live.size) return world;
  const newest = copies.at(-1)?.job;
  return { ...world, copies: copies.map((copy) => (copy.job === newest ? copy : { ...copy, sure: false })) };
}

/** Each world once: kills multiply them. */
export function distinct(worlds: readonly World[]): World[] {
  return [...new Map(worlds.map((world) => [JSON.stringify(plain(world)), world])).values()];
}

function plain({ pending, kept, copies, done, ...generation }: World): unknown {
  return [
    plainGeneration(generation),
    kept && [plainGeneration(kept), kept.by.job, kept.by.action],
    copies,
    done,
    pending && [pending.undoes, plain(pending.world)],
  ];
}

function plainGeneration({ live, named, proven, readTo }: Generation): unknown {
  const rows = [...live].map(([id, text]) => `${id} ${text}`).toSorted();
  return [rows, [...named].toSorted(), proven, readTo];
}
