/** Sink `opensearch`: composes the parts of this folder. */
import type { JobArguments } from '../../arguments.ts';
import { PATIENCE_MS } from '../../http/outage.ts';
import { shownUrl } from '../../mask.ts';
import { figuresOf } from '../generations/earlier-runs.ts';
import { createHeldRecords } from '../generations/held-records.ts';
import { createHeldSets } from '../generations/held-store.ts';
import { createPlannedRecords } from '../generations/planned-records.ts';
import { purgeCopies } from '../generations/removed-copies.ts';
import { beginIds, type IdsLoad } from '../generations/removals.ts';
import { createTold } from '../generations/told-removals.ts';
import type { ApplyPlan, ApplyResult, Load, LiveState, Sink } from '../sink.ts';
import type { OpenSearchSettings } from '../sink-settings.ts';
import type { Writer } from '../writer.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { applyEverything } from './apply-everything.ts';
import { applyChanges, loadChanges } from './changes.ts';
import { createOpenSearchClient } from './client.ts';
import { countDocuments } from './documents.ts';
import { forgetRecords } from './forget.ts';
import { findLivePlace } from './held.ts';
import { createOpenSearchPieces } from './held-pieces.ts';
import { beginLoad, dropLoad } from './load.ts';
import { createEverythingLoader } from './load-everything.ts';
import { lookAtOpenSearch } from './look.ts';
import { openOpenSearch } from './open.ts';
import { createOpenSearchPlans } from './plans.ts';
import { applyIds } from './removals.ts';
import { createCopyStore } from './removed-copies.ts';
import { previewRollback, rollback } from './rollback.ts';
import { createStateStore, STATE_INDEX } from './state-store.ts';
import { takeOver } from './take-over.ts';

export type OpenSearchSinkInput = {
  readonly settings: OpenSearchSettings;
  readonly given: Pick<JobArguments, 'before' | 'ids' | 'only'>;
  readonly writer: Writer;
  readonly stop: AbortSignal;
  readonly onWait: (words: string | null) => void;
  readonly log: (line: string) => void;
  /** How long to wait for an unreachable or busy server, in milliseconds. */
  readonly patienceMs?: number;
  /** Overrides the deadline of every request, in milliseconds. */
  readonly deadlineMs?: number;
};

/** Connects on first use. */
export function createOpenSearchSink(input: OpenSearchSinkInput): Sink {
  const { given } = input;
  const { url, alias, keepChangesMs } = input.settings;
  const sink = openSearchOf(input);
  const everything = createEverythingLoader(sink);
  const told = createTold();
  let ids: IdsLoad | null = null;
  const idsOf = (load: Load): IdsLoad => {
    if (ids?.load.id !== load.id) throw new Error('this load was begun by another sink object');
    return ids;
  };
  const tidy = (): Promise<void> => purge(sink, keepChangesMs);
  const { plans, changes } = createOpenSearchPlans(sink, { loader: everything, idsOf, applied: tidy });
  const applyLoad = async (load: Load, plan: ApplyPlan): Promise<ApplyResult> => {
    if (load.mode === 'everything') return await applyEverything(sink, { load, plan, loader: everything });
    if (load.mode === 'ids') return await applyIds(sink, { listed: idsOf(load).listed, plan });
    return await applyChanges(sink, told, { load, plan });
  };
  return {
    shownAs: shownUrl(url),
    place: `alias ${alias}`,
    leastBatch: 1,
    writesAtOnce: sink.writer.plans ? null : 'changes',
    open: () => openOpenSearch(sink, given),
    live: () => readLiveState(sink),
    look: () => lookAtOpenSearch(sink),
    async beginLoad({ mode, ...of }) {
      if (changes && mode === 'changes') return await changes.begin({ mode, ...of });
      if (mode !== 'ids') return await beginLoad(sink, { mode, ...of });
      ids = beginIds(of.began);
      return ids.load;
    },
    async loadBatch(load, batch, turn) {
      if (load.mode === 'everything') return await everything.loadBatch(load, batch, turn);
      if (changes && load.mode === 'changes') return await changes.add(load, batch, turn);
      if (load.mode === 'changes') return await loadChanges(sink, told, { load, batch, turn });
      for (const id of batch.listed) idsOf(load).listed.add(id);
    },
    async apply(load, plan) {
      if (sink.writer.plans) return await plans.make(load, plan);
      const result = await applyLoad(load, plan);
      if (result.kind === 'applied') await tidy();
      return result;
    },
    async dropLoad(load) {
      if (load.mode === 'ids') ids = null;
      else if (changes && load.mode === 'changes') await sink.sets.deleteDropped();
      else await dropLoad(sink, load);
    },
    previewRollback: (to) => previewRollback(sink, to),
    rollback: (to) => rollback(sink, to),
    takeOver: () => takeOver(sink),
    held: createHeldRecords(() => findLivePlace(sink)),
    earlierRuns: async () => figuresOf((await sink.store.read()).earlier_runs, sink.writer.action),
    sourceState: async () => (await readLive(sink, await sink.store.read()))?.generation.source_state ?? null,
    plans,
    forget: (ids) => forgetRecords(sink, ids),
    async close() {},
  };
}

function openSearchOf(input: OpenSearchSinkInput): OpenSearch {
  const { settings, given: _, writer, patienceMs = PATIENCE_MS, log, ...rest } = input;
  const { url, alias, body } = settings;
  const patience = { patienceMs, ...rest };
  const client = createOpenSearchClient(url, patience);
  const store = createStateStore(client, alias, writer);
  const pieces = { alias, where: STATE_INDEX, store };
  const medium = createOpenSearchPieces(client);
  const sets = createHeldSets(pieces, medium);
  const records = createPlannedRecords(pieces, medium);
  return { client, alias, body, store, sets, records, writer, patience, log };
}

/** Deletes old copies of removed records. */
async function purge(sink: OpenSearch, keepMs: number): Promise<void> {
  const live = await readLive(sink, await sink.store.read());
  if (!live) return;
  const { name } = live.index;
  await purgeCopies(createCopyStore(sink, name), {
    keepMs,
    live: () => countDocuments(sink.client, name),
    log: sink.log,
  });
}

async function readLiveState(sink: OpenSearch): Promise<LiveState> {
  const live = await readLive(sink, await sink.store.read());
  if (!live) return { synced: false, empty: true, watermark: null, coarseTimes: false, proven: false };
  const { index, generation } = live;
  return {
    synced: generation.synced,
    empty: (await countDocuments(sink.client, index.name)) === 0,
    watermark: generation.watermark === null ? null : new Date(generation.watermark),
    coarseTimes: generation.coarse_times,
    proven: generation.proven,
  };
}
