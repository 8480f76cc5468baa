/**
 * The list of held records of a generation: ids in byte order, each with the job that first held it. It is stored in
 * pieces beside the state, is never changed, and counts once the state names it as that of a generation. Pure.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isAfter } from '../../sources/byte-order.ts';
import type { HeldSet } from './state-parts.ts';

const since = z.object({
  /** When a listing first lacked the records. */
  at: z.iso.datetime(),
  /** When the newest full listing that had them was applied. */
  seen: z.iso.datetime().nullable(),
  job_id: z.number().int().nullable(),
  job_uid: z.string().nullable(),
});

/** Each id has its place in `since`, which few jobs share. */
export const piece = z.object({
  since: z.array(since),
  ids: z.array(z.tuple([z.string(), z.number().int()])),
});

export type Since = z.infer<typeof since>;
export type Piece = z.infer<typeof piece>;
export type HeldEntry = { readonly id: string; readonly since: Since };
/** Entries in byte order of their ids, one page at a time. */
export type HeldPages = AsyncIterable<readonly HeldEntry[]>;

/** Ids of the largest size still make a request below 2 MB. */
export const IDS_PER_PIECE = 1_000;

/** A set of so many records, which is not yet written. */
export function newSet(count: number): HeldSet {
  return { id: randomUUID(), count, pieces: Math.ceil(count / IDS_PER_PIECE) };
}

export function keysOf(alias: string, { id, pieces }: HeldSet): string[] {
  return Array.from({ length: pieces }, (_, nth) => `${alias}.held.${id}.${nth}`);
}

export function pieceOf(entries: readonly HeldEntry[]): Piece {
  const places = new Map<string, number>();
  const all: Since[] = [];
  const ids = entries.map(({ id, since: one }): [string, number] => {
    const key = JSON.stringify(one);
    const place = places.get(key) ?? all.push(one) - 1;
    places.set(key, place);
    return [id, place];
  });
  return { since: all, ids };
}

export function entriesOf({ since: all, ids }: Piece): HeldEntry[] {
  return ids.flatMap(([id, place]) => {
    const one = all[place];
    return one ? [{ id, since: one }] : [];
  });
}

/** Finds entries by ids that are asked for in byte order, with one page in memory. */
export function findInOrder(pages: HeldPages): (id: string) => Promise<HeldEntry | null> {
  const entries = each(pages);
  let current: HeldEntry | null | undefined;
  return async (id) => {
    if (current === undefined) current = await next();
    while (current && isAfter(id, current.id)) current = await next();
    return current?.id === id ? current : null;
  };

  async function next(): Promise<HeldEntry | null> {
    const { value, done } = await entries.next();
    return done ? null : value;
  }
}

/** One by one what comes page by page. */
export async function* each<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, undefined> {
  for await (const page of pages) yield* page;
}

type WithSets = {
  readonly generations: Readonly<Record<string, { readonly held: HeldSet | null }>>;
  readonly load: { readonly carried: HeldSet | null } | null;
  /** Sets that no generation and no load names: their documents are deleted. */
  readonly dropped_sets: HeldSet[];
};

/** The state after a change, which names every set that the change has left. */
export function settleSets<S extends WithSets>(before: S, after: S): S {
  const used = new Set(setsIn(after).map(({ id }) => id));
  const left = [...after.dropped_sets, ...setsIn(before)].filter(({ id }) => !used.has(id));
  return { ...after, dropped_sets: [...new Map(left.map((set) => [set.id, set])).values()] };
}

function setsIn({ generations, load }: WithSets): HeldSet[] {
  const sets = [...Object.values(generations).map(({ held }) => held), load?.carried ?? null];
  return sets.filter((set) => set !== null);
}

type Holding = {
  readonly generations: WithSets['generations'];
  readonly load: WithSets['load'];
  readonly steps: readonly { readonly applied: { readonly kept: { readonly held?: number | undefined } } }[];
};

/** True while a list of held records, or a count of them, is part of the state. */
export function isHolding({ generations, load, steps }: Holding): boolean {
  return (
    Object.values(generations).some(({ held }) => held !== null) ||
    (load?.carried ?? null) !== null ||
    steps.some(({ applied }) => applied.kept.held !== undefined)
  );
}
