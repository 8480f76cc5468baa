/** Plans of an alias in OpenSearch: a planned sync waits in its index, a planned delta or delete beside the state. */
import { openChanges } from '../generations/apply-changes.ts';
import { createPlannedChanges, type PlannedChanges } from '../generations/planned-changes.ts';
import { effectsOfSwitch } from '../generations/plan-effect.ts';
import { forNext } from '../generations/next-generation.ts';
import { deleteToKeep, openDelete } from '../generations/planned-in-place.ts';
import { LOAD_GONE, switchToKeep } from '../generations/planned-switch.ts';
import {
  asPlanned,
  createPlans,
  type GenerationPlans,
  type OpenPlan,
  type ReadRecords,
} from '../generations/plans.ts';
import type { IdsLoad } from '../generations/removals.ts';
import type { Planned } from '../generations/state-parts.ts';
import { JobError } from '../../job-error.ts';
import type { Load } from '../sink.ts';
import { DATA_CHANGED, planStale } from '../stale-plan.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { applySwitch, decideEverything, stampsIn } from './apply-everything.ts';
import { documentOf, unfitReason } from './document.ts';
import { readDocuments, refresh, streamStamps } from './documents.ts';
import { livePlace, recordIn } from './held.ts';
import { describeIndex } from './indexes.ts';
import type { EverythingLoader } from './load-everything.ts';
import { deleteObsolete } from './obsolete.ts';
import { decideIds } from './removals.ts';
import type { State } from './state.ts';
import { takeWriteAlias } from './write-alias.ts';
import { writeRecords } from './write-records.ts';

/** @param of.applied tidies up once a plan was applied @returns the plans, and what reads a delta for one of this run */
export function createOpenSearchPlans(
  sink: OpenSearch,
  of: { loader: EverythingLoader; idsOf: (load: Load) => IdsLoad; applied: () => Promise<void> },
): { plans: GenerationPlans; changes: PlannedChanges | null } {
  const { store, writer } = sink;
  const changes = createOpenSearchChanges(sink);
  const plans = createPlans<State>({
    place: placeOf(sink),
    store,
    writer,
    deleteDropped: () => deleteObsolete(sink),
    applied: of.applied,
    async decide(load, plan) {
      if (load.mode === 'ids') {
        const { listed } = of.idsOf(load);
        const found = await decideIds(sink, { listed, plan });
        return found.kind === 'ask' ? found : { kind: 'decided', decided: await deleteToKeep(found, plan) };
      }
      if (load.mode === 'changes') return await changes.decide(load, plan);
      const found = await decideEverything(sink, { load, plan, loader: of.loader });
      if (found.kind === 'ask') return found;
      const live = found.live && { name: found.live.index.name, generation: found.live.generation };
      return { kind: 'decided', decided: switchToKeep(plan, { ...found, load, live }) };
    },
    open: (planned) =>
      planned.action === 'sync' ? openSwitch(sink, planned) : openInPlace(asPlanned(sink, planned), planned),
  });
  return { plans, changes: writer.plans ? changes : null };
}

function placeOf({ alias }: OpenSearch): string {
  return `alias ${alias}`;
}

async function openSwitch(sink: OpenSearch, planned: Planned): Promise<OpenPlan> {
  const { client, store, sets } = sink;
  const state = await store.read();
  const { load } = state;
  const live = await readLive(sink, state);
  const isThere = load?.id === planned.load && (await describeIndex(client, load?.index ?? '')) !== null;
  if (!load || !isThere || (live?.index.name ?? null) !== planned.live)
    throw planStale(placeOf(sink), LOAD_GONE);
  const { index } = load;
  await takeWriteAlias(sink, index);
  if (live) await refresh(client, live.index.name);
  await refresh(client, index);
  const { held, applied } = planned;
  return {
    effects: () =>
      effectsOfSwitch({
        now: stampsIn(sink, live),
        next: streamStamps(client, index),
        held: held && sets.read(held),
      }),
    readBefore: live ? reader(sink, live.index.name) : async () => [],
    readAfter: () => reader(sink, index),
    async apply() {
      const decided = { kind: 'decided' as const, live, index, applied, held };
      const plan = forNext(planned);
      const after = await applySwitch(asPlanned(sink, planned), { load, plan, decided });
      return { applied: after, watermark: planned.watermark };
    },
  };
}

/** @param sink as the planned action */
async function openInPlace(sink: OpenSearch, planned: Planned): Promise<OpenPlan> {
  const { client, store, records } = sink;
  const live = await readLive(sink, await store.read());
  if (!live || live.index.name !== planned.live) throw planStale(placeOf(sink), DATA_CHANGED);
  const { name: index } = live.index;
  await refresh(client, index);
  const place = livePlace(sink, live);
  const readBefore = reader(sink, index);
  if (planned.action === 'delete') return openDelete(planned, { place, readBefore });
  return openChanges(planned, {
    place,
    generation: live.generation,
    records,
    readBefore,
    asRead: (record) => recordIn({ id: record.id, source: documentOf(record) }),
    async write(some) {
      const { epoch } = await store.read();
      return await writeRecords(sink, { index, epoch }, some);
    },
  });
}

function createOpenSearchChanges(sink: OpenSearch): PlannedChanges {
  return createPlannedChanges<State>({
    records: sink.records,
    async live() {
      const live = await readLive(sink, await sink.store.read());
      if (!live) throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
      return { place: livePlace(sink, live), generation: live.generation };
    },
    unfitReason,
  });
}

function reader({ client }: OpenSearch, index: string): ReadRecords {
  return async (ids) => (await readDocuments(client, index, ids)).map(recordIn);
}
