/**
 * What an apply of a plan does, record by record, and the digest of it all. It names each record with its live time and its
 * new one: contents of documents are not compared, since only a search for their times is fast. Pure.
 */
import { createHash } from 'node:crypto';
import type { Plannable } from '../../../domain/action.ts';
import { PLAN_KINDS, type PlanKind } from '../../../domain/change-plan.ts';
import { compareStamps, type Stamp, type Stamps } from './compare.ts';
import { findInOrder, type HeldPages } from './held-set.ts';

export type PlannedEffect = {
  /** `written`: it is listed with the time that it has. */
  readonly kind: PlanKind | 'written';
  readonly id: string;
  /** In milliseconds; null: there is no such record, or it has no time. */
  readonly before: number | null;
  readonly after: number | null;
  /** Of a record whose content the plan keeps: a hash of it. */
  readonly content?: string;
};

export type Effects = AsyncIterable<PlannedEffect>;

/** Names the records that a switch changes, and those that it keeps although the listing lacks them, in byte order. */
export async function* effectsOfSwitch(of: {
  now: Stamps;
  next: Stamps;
  held: HeldPages | null;
}): Effects & AsyncGenerator {
  const find = of.held && findInOrder(of.held);
  for await (const { kind, id, now, next } of compareStamps(of)) {
    const times = { id, before: now?.updatedAt ?? null, after: next?.updatedAt ?? null };
    if (kind !== 'same') yield { kind, ...times };
    else if (find && (await find(id))) yield { kind: 'held', ...times };
  }
}

/** Of records that an apply removes or lets wait. One that is gone meanwhile has no time. */
export async function* effectsOn(
  kind: 'removed' | 'held',
  pages: HeldPages,
  stampsOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, Stamp>>,
): Effects & AsyncGenerator {
  for await (const entries of pages) {
    const stamps = await stampsOf(entries.map(({ id }) => id));
    for (const { id } of entries) yield { kind, id, before: stamps.get(id)?.updatedAt ?? null, after: null };
  }
}

export type Summed = {
  readonly digest: string;
  /** The first ids of each kind, as many as its share. */
  readonly first: Readonly<Record<PlanKind, readonly string[]>>;
};

/** @param of.shares how many ids of each kind to note; missing: none */
export async function sumUp(
  effects: Effects,
  of: {
    readonly action: Plannable;
    readonly watermark: string | null;
    readonly shares?: Readonly<Record<PlanKind, number>>;
  },
): Promise<Summed> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([of.action, of.watermark]));
  const first: Record<PlanKind, string[]> = { added: [], updated: [], removed: [], held: [] };
  for await (const { kind, id, before, after, content = null } of effects) {
    hash.update(JSON.stringify([kind, id, before, after, content]));
    if (kind !== 'written' && first[kind].length < (of.shares?.[kind] ?? 0)) first[kind].push(id);
  }
  return { digest: hash.digest('hex'), first };
}

/** The ids in the order in which a plan shows them. */
export function inShownOrder({ first }: Summed): { kind: PlanKind; id: string }[] {
  return PLAN_KINDS.flatMap((kind) => first[kind].map((id) => ({ kind, id })));
}
