/** Sink `solr`: composes the parts of this folder. */
import type { JobArguments } from '../../arguments.ts';
import { shownUrl } from '../../mask.ts';
import type { ApplyPlan, ApplyResult, Load, LiveState, Sink } from '../sink.ts';
import type { SolrSettings } from '../sink-settings.ts';
import type { Writer } from '../writer.ts';
import { applicationOf } from './application.ts';
import { applyEverything } from './apply-everything.ts';
import { applyChanges, loadChanges } from './changes.ts';
import { figuresOf } from '../generations/earlier-runs.ts';
import { createHeldRecords } from '../generations/held-records.ts';
import { createHeldSets } from '../generations/held-store.ts';
import { createPlannedRecords } from '../generations/planned-records.ts';
import { createSolrClient } from './client.ts';
import { countDocuments } from './documents.ts';
import { forgetRecords } from './forget.ts';
import { findLivePlace } from './held.ts';
import { createSolrPieces } from './held-pieces.ts';
import { beginLoad, dropLoad } from './load.ts';
import { createEverythingLoader } from './load-everything.ts';
import { lookAtSolr } from './look.ts';
import { openSolr } from './open.ts';
import { generationIn, namesOf, readPrimary, type Solr } from './aliases.ts';
import { purgeCopies } from '../generations/removed-copies.ts';
import { beginIds, type IdsLoad } from '../generations/removals.ts';
import { createTold } from '../generations/told-removals.ts';
import { createSolrPlans } from './plans.ts';
import { applyIds } from './removals.ts';
import { createCopyStore } from './removed-copies.ts';
import { previewRollback, rollback } from './rollback.ts';
import { createStateStore, STATE_COLLECTION } from './state-store.ts';
import { takeOver } from './take-over.ts';

const PATIENCE_MS = 60_000;

export type SolrSinkInput = {
  readonly settings: SolrSettings;
  readonly given: Pick<
    JobArguments,
    'action' | 'of' | 'switchSolrAlias' | 'targetEnv' | 'target' | 'before' | 'ids' | 'only'
  >;
  readonly writer: Writer;
  readonly stop: AbortSignal;
  readonly onWait: (words: string | null) => void;
  readonly log: (line: string) => void;
  /** How long to wait for an unreachable or busy Solr, in milliseconds. */
  readonly patienceMs?: number;
  /** Overrides the deadline of every request, in milliseconds. */
  readonly deadlineMs?: number;
};

/** Connects on first use. @throws JobError `usage` if arguments and settings disagree */
export function createSolrSink(input: SolrSinkInput): Sink {
  const { settings, given } = input;
  const solr = solrOf(input);
  const everything = createEverythingLoader(solr);
  const told = createTold();
  let ids: IdsLoad | null = null;
  const idsOf = (load: Load): IdsLoad => {
    if (ids?.load.id !== load.id) throw new Error('this load was begun by another sink object');
    return ids;
  };
  const tidy = (): Promise<void> => purge(solr, settings.keepChangesMs);
  const { plans, changes } = createSolrPlans(solr, { loader: everything, idsOf, applied: tidy });
  const applyLoad = async (load: Load, plan: ApplyPlan): Promise<ApplyResult> => {
    if (load.mode === 'everything') return await applyEverything(solr, { load, plan, loader: everything });
    if (load.mode === 'ids') return await applyIds(solr, { listed: idsOf(load).listed, plan });
    return await applyChanges(solr, told, { load, plan });
  };
  return {
    shownAs: shownUrl(settings.url),
    place: `alias ${solr.names.primary}`,
    leastBatch: 1,
    writesAtOnce: solr.writer.plans ? null : 'changes',
    open: () => openSolr(solr, given),
    live: () => readLiveState(solr),
    look: () => lookAtSolr(solr),
    async beginLoad({ mode, ...of }) {
      if (changes && mode === 'changes') return await changes.begin({ mode, ...of });
      if (mode !== 'ids') return await beginLoad(solr, { mode, ...of });
      ids = beginIds(of.began);
      return ids.load;
    },
    async loadBatch(load, batch, turn) {
      if (load.mode === 'everything') return await everything.loadBatch(load, batch, turn);
      if (changes && load.mode === 'changes') return await changes.add(load, batch, turn);
      if (load.mode === 'changes') return await loadChanges(solr, told, { load, batch, turn });
      for (const id of batch.listed) idsOf(load).listed.add(id);
    },
    async apply(load, plan) {
      if (solr.writer.plans) return await plans.make(load, plan);
      const result = await applyLoad(load, plan);
      if (result.kind === 'applied') await tidy();
      return result;
    },
    async dropLoad(load) {
      if (load.mode === 'ids') ids = null;
      else if (changes && load.mode === 'changes') await solr.sets.deleteDropped();
      else await dropLoad(solr, load);
    },
    previewRollback: (to) => previewRollback(solr, to),
    rollback: (to) => rollback(solr, to),
    takeOver: () => takeOver(solr),
    held: createHeldRecords(() => findLivePlace(solr)),
    earlierRuns: async () => figuresOf((await solr.store.read()).earlier_runs, solr.writer.action),
    sourceState: () => readSourceState(solr),
    plans,
    forget: (ids) => forgetRecords(solr, ids),
    async close() {},
  };
}

function solrOf({ settings, given, writer, patienceMs = PATIENCE_MS, log, ...rest }: SolrSinkInput): Solr {
  const app = applicationOf(settings, given);
  const client = createSolrClient(settings.url, { patienceMs, ...rest });
  const store = createStateStore(client, app, writer);
  const pieces = { alias: app, where: STATE_COLLECTION, store };
  const medium = createSolrPieces(client);
  const sets = createHeldSets(pieces, medium);
  const records = createPlannedRecords(pieces, medium);
  return { client, names: namesOf(app), store, sets, records, writer, stop: rest.stop, log };
}

/** Deletes old copies of removed records. */
async function purge(solr: Solr, keepMs: number): Promise<void> {
  const primary = await readPrimary(solr);
  await purgeCopies(createCopyStore(solr, primary), {
    keepMs,
    live: () => countDocuments(solr.client, primary),
    log: solr.log,
  });
}

async function readSourceState(solr: Solr): Promise<string | null> {
  const generation = await generationIn(solr, await solr.store.read(), await readPrimary(solr));
  return generation?.source_state ?? null;
}

async function readLiveState(solr: Solr): Promise<LiveState> {
  const primary = await readPrimary(solr);
  const generation = await generationIn(solr, await solr.store.read(), primary);
  return {
    synced: generation?.synced === true,
    empty: (await countDocuments(solr.client, primary)) === 0,
    watermark: generation?.watermark ? new Date(generation.watermark) : null,
    coarseTimes: generation?.coarse_times === true,
    proven: generation?.proven === true,
  };
}
