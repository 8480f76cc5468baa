/**
 * Brings removed records back from their copies, in place: a rollback of some records. They wait for an answer before they
 * are live again, so that no later sync removes them unasked, not even after a kill in between.
 */
import { createHash } from 'node:crypto';
import type { RollbackPreview } from '../../../domain/report.ts';
import { JobError } from '../../job-error.ts';
import { isAfter } from '../../sources/byte-order.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import { type Applied, NOTHING_APPLIED, type RollbackTo } from '../sink.ts';
import type { Writer } from '../writer.ts';
import type { Stamp } from './compare.ts';
import { fenced } from './fence.ts';
import { firstIds } from './first-ids.ts';
import { findInOrder, type HeldEntry, type Since } from './held-set.ts';
import type { HeldPlace } from './held-records.ts';
import type { GenerationsState } from './in-place.ts';
import type { CopyFacts } from './removed-copies.ts';
import { chooseCopies, type Chosen, refuseUnrestorable } from './restore-choice.ts';
import { type Effect, previewOf, refuseOtherEffect } from './rollback-effect.ts';
import type { HeldSet } from './state-parts.ts';

/** The live data, and what a rollback of some records needs of it. */
export type RestorePlace<S extends GenerationsState> = HeldPlace<S> & {
  /** The sink's name. */
  readonly sink: string;
  readonly writer: Writer;
  readonly watermark: string | null;
  /** Of the newest documents among these ids, visible or not. */
  readonly stampsOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, Stamp>>;
};

type SomeRecords = RollbackTo & { readonly only: NonNullable<RollbackTo['only']> };

export function isOfSome(to: RollbackTo): to is SomeRecords {
  return to.only !== undefined;
}

/** Reads only; does not take the fence. @throws JobError `nothingToRollBack`, `usage` */
export async function previewRestore<S extends GenerationsState>(
  place: RestorePlace<S>,
  to: SomeRecords,
): Promise<RollbackPreview> {
  const chosen = await chooseCopies(place, to);
  const effect = await effectOf(place, chosen, to);
  const preview = previewOf({ effect, before: chosen.before, watermark: place.watermark, fields: () => [] });
  return { ...preview, some_records: true };
}

/** Safe to repeat. @throws JobError `nothingToRollBack`, `usage`, `previewChanged`, `recordsRejected` */
export async function restoreRemoved<S extends GenerationsState>(
  place: RestorePlace<S>,
  to: SomeRecords,
): Promise<Applied> {
  const chosen = await chooseCopies(place, to);
  const effect = await effectOf(place, chosen, to);
  refuseOtherEffect(place.alias, to, effect.digest);
  const held = await holdFirst(place, chosen, effect);
  const refused: RejectedRecord[] = [];
  for await (const page of toRestore(place, chosen, held)) {
    await place.store.read();
    refused.push(...(await place.copies.restore(page.map(({ facts }) => facts))));
  }
  await place.makeVisible();
  if (refused.length > 0) throw refusedBySink(refused);
  const waiting = held === null ? {} : { held: held.count };
  const applied: Applied = {
    ...NOTHING_APPLIED,
    live: effect.live,
    added: effect.added,
    kept: waiting,
  };
  await place.store.change((state) => place.withStep(state, applied), { durable: true });
  await place.deleteDropped();
  return applied;
}

type Restored = {
  readonly facts: CopyFacts;
  /** The entry that the set of held records has of it. */
  readonly entry: HeldEntry | null;
};

/** The chosen copies whose records are not live, or are live because an earlier attempt has restored them. */
async function* toRestore<S extends GenerationsState>(
  { sets, stampsOf, writer }: RestorePlace<S>,
  { pages }: Chosen,
  held: HeldSet | null,
): AsyncGenerator<readonly Restored[]> {
  const find = findInOrder(sets.read(held));
  for await (const page of pages()) {
    const live = await stampsOf(page.map(({ id }) => id));
    const some: Restored[] = [];
    for (const facts of page) {
      const entry = await find(facts.id);
      if (!live.has(facts.id) || (entry && isOurs(entry, writer))) some.push({ facts, entry });
    }
    if (some.length > 0) yield some;
  }
}

const MOST_SAMPLED = 20;

type RestoreEffect = Effect & {
  /** Of the added ones: those that the set of held records names already, and those that an earlier attempt put there. */
  readonly named: number;
  readonly ours: number;
};

async function effectOf<S extends GenerationsState>(
  place: RestorePlace<S>,
  chosen: Chosen,
  to: SomeRecords,
): Promise<RestoreEffect> {
  const digest = createHash('sha256');
  const counts = { added: 0, named: 0, ours: 0 };
  const first: string[] = [];
  const restored = new Set<string>();
  for await (const page of toRestore(place, chosen, place.held))
    for (const { facts, entry } of page) {
      counts.added += 1;
      if (entry) counts.named += 1;
      if (entry && isOurs(entry, place.writer)) counts.ours += 1;
      if (first.length < MOST_SAMPLED) first.push(facts.id);
      if (to.only !== 'of the job') restored.add(facts.id);
      digest.update(JSON.stringify([facts.id, facts.key, facts.job.at]));
    }
  if (to.only !== 'of the job') refuseUnrestorable(place.sink, to.only.ids, restored);
  return {
    live: await place.count(),
    ...counts,
    updated: 0,
    removed: 0,
    digest: digest.digest('hex').slice(0, 32),
    sample: first.map((id) => ({ id, change: 'added' as const })),
  };
}

/** Lets the records wait before they are live again. @returns the set that the live data has from now on */
async function holdFirst<S extends GenerationsState>(
  place: RestorePlace<S>,
  chosen: Chosen,
  { added, named, ours }: RestoreEffect,
): Promise<HeldSet | null> {
  const { alias, name, store, sets, held: before, writer } = place;
  if (added === ours) return before;
  const held = await sets.announce((before?.count ?? 0) + added - named);
  if (!held) return before;
  const { jobId: job_id } = writer;
  const since: Since = { at: new Date().toISOString(), seen: null, job_id, job_uid: originOf(writer) };
  await sets.write(held, withRestored(place, chosen, since));
  await store.change(
    (state) => {
      const generation = state.generations[name];
      if (!generation) throw fenced(alias, `${name} is no longer complete`);
      return { ...state, generations: { ...state.generations, [name]: { ...generation, held } } };
    },
    { durable: true },
  );
  return held;
}

/** The entries of the set that is held now and of the restored records, in byte order of their ids. */
async function* withRestored<S extends GenerationsState>(
  place: RestorePlace<S>,
  chosen: Chosen,
  since: Since,
): AsyncGenerator<HeldEntry> {
  const before = each(place.sets.read(place.held));
  let next = await before.next();
  for await (const page of toRestore(place, chosen, place.held))
    for (const { facts } of page) {
      for (; !next.done && isAfter(facts.id, next.value.id); next = await before.next()) yield next.value;
      if (!next.done && next.value.id === facts.id) next = await before.next();
      yield { id: facts.id, since };
    }
  for (; !next.done; next = await before.next()) yield next.value;
}

async function* each<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, undefined> {
  for await (const page of pages) yield* page;
}

/** Jobs that resume each other share it. */
function originOf({ originUid, jobUid }: Writer): string | null {
  return originUid ?? jobUid;
}

function isOurs({ since }: HeldEntry, writer: Writer): boolean {
  const origin = originOf(writer);
  return origin === null ? writer.jobId !== null && since.job_id === writer.jobId : since.job_uid === origin;
}

function refusedBySink(refused: readonly RejectedRecord[]): JobError {
  const ids = firstIds(refused.map(({ id }) => id ?? ''));
  return new JobError(
    'recordsRejected',
    `${refused.length} removed records cannot come back (${ids}): ${refused[0]?.why ?? ''}. The others are live again. ` +
      'Correct that, then run the rollback again',
  );
}
