/** Plans of an application in Solr: a planned sync waits in the standby, a planned delta or delete beside the state. */
import { openChanges } from '../generations/apply-changes.ts';
import {
  createPlannedChanges,
  type LiveGeneration,
  type PlannedChanges,
} from '../generations/planned-changes.ts';
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
import type { SourceRecord } from '../../sources/source.ts';
import { JobError } from '../../job-error.ts';
import type { Load } from '../sink.ts';
import { DATA_CHANGED, planStale } from '../stale-plan.ts';
import { generationIn, readPlaces, readPrimary, type Solr } from './aliases.ts';
import { applySwitch, decideEverything } from './apply-everything.ts';
import { createGivenReader } from './carry-over.ts';
import { type Document, documentOf, UnfitRecord } from './document.ts';
import { commit, streamStamps } from './documents.ts';
import { livePlace, recordIn } from './held.ts';
import type { EverythingLoader } from './load-everything.ts';
import { decideIds } from './removals.ts';
import type { State } from './state.ts';
import { writeRecords } from './write-records.ts';

/** @param of.applied tidies up once a plan was applied @returns the plans, and what reads a delta for one of this run */
export function createSolrPlans(
  solr: Solr,
  of: { loader: EverythingLoader; idsOf: (load: Load) => IdsLoad; applied: () => Promise<void> },
): { plans: GenerationPlans; changes: PlannedChanges | null } {
  const { store, writer } = solr;
  const changes = createSolrChanges(solr);
  const plans = createPlans<State>({
    place: placeOf(solr),
    store,
    writer,
    deleteDropped: () => solr.sets.deleteDropped(),
    applied: of.applied,
    async decide(load, plan) {
      if (load.mode === 'ids') {
        const { listed } = of.idsOf(load);
        const found = await decideIds(solr, { listed, plan });
        return found.kind === 'ask' ? found : { kind: 'decided', decided: await deleteToKeep(found, plan) };
      }
      if (load.mode === 'changes') return await changes.decide(load, plan);
      const found = await decideEverything(solr, { load, plan, loader: of.loader });
      if (found.kind === 'ask') return found;
      const live = { name: found.primary, generation: found.live };
      return { kind: 'decided', decided: switchToKeep(plan, { ...found, load, live }) };
    },
    open: (planned) =>
      planned.action === 'sync' ? openSwitch(solr, planned) : openInPlace(asPlanned(solr, planned), planned),
  });
  return { plans, changes: writer.plans ? changes : null };
}

function placeOf({ names }: Solr): string {
  return `alias ${names.primary}`;
}

async function openSwitch(solr: Solr, planned: Planned): Promise<OpenPlan> {
  const { client, store, sets } = solr;
  const { primary, standby } = await readPlaces(solr);
  const state = await store.read();
  const { load } = state;
  if (load?.id !== planned.load || load.collection !== standby || primary !== planned.live)
    throw planStale(placeOf(solr), LOAD_GONE);
  await commit(client, primary);
  await commit(client, standby);
  const live = await generationIn(solr, state, primary);
  const { held, applied } = planned;
  return {
    effects: () =>
      effectsOfSwitch({
        now: streamStamps(client, primary),
        next: streamStamps(client, standby),
        held: held && sets.read(held),
      }),
    readBefore: reader(solr, primary),
    readAfter: () => reader(solr, standby),
    async apply() {
      const decided = { kind: 'decided' as const, live, primary, collection: standby, applied, held };
      const plan = forNext(planned);
      const after = await applySwitch(asPlanned(solr, planned), { load, plan, decided });
      return { applied: after, watermark: planned.watermark };
    },
  };
}

/** @param solr as the planned action */
async function openInPlace(solr: Solr, planned: Planned): Promise<OpenPlan> {
  const live = await findLive(solr);
  if (live?.place.name !== planned.live) throw planStale(placeOf(solr), DATA_CHANGED);
  const { client, records } = solr;
  const { name: collection, makeVisible } = live.place;
  await makeVisible();
  const readBefore = reader(solr, collection);
  if (planned.action === 'delete') return openDelete(planned, { ...live, readBefore });
  return openChanges(planned, {
    ...live,
    records,
    readBefore,
    asRead: (record) => recordIn(fitDocumentOf(record)),
    write: (some) => writeRecords(client, collection, some),
  });
}

function createSolrChanges(solr: Solr): PlannedChanges {
  return createPlannedChanges({
    records: solr.records,
    async live() {
      const live = await findLive(solr);
      if (!live) throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
      return live;
    },
    unfitReason(record) {
      const document = documentOf(record);
      return document instanceof UnfitRecord ? document.why : null;
    },
  });
}

async function findLive(solr: Solr): Promise<LiveGeneration<State> | null> {
  const collection = await readPrimary(solr);
  const generation = await generationIn(solr, await solr.store.read(), collection);
  return generation && { place: livePlace(solr, { collection, generation }), generation };
}

function fitDocumentOf(record: SourceRecord): Document {
  const document = documentOf(record);
  if (document instanceof UnfitRecord) throw new Error(`a planned record is unfit: ${document.why}`);
  return document;
}

function reader({ client }: Solr, collection: string): ReadRecords {
  const readGiven = createGivenReader(client, collection);
  return async (ids) => (await readGiven(ids)).map(recordIn);
}
