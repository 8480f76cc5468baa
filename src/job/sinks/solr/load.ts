/**
 * A load in progress: `everything` is written to the standby, `changes` to the live collection, and `ids` stay in
 * memory. The state stores the cursors of the first two, so that a later attempt can resume them.
 */
import { WrongLoadError } from '../../job-error.ts';
import { takeOut } from '../generations/carry-held.ts';
import {
  afterBatch,
  asLoad,
  type BatchNews,
  checkLoad,
  isResumed,
  newProgress,
} from '../generations/load-progress.ts';
import type { Progress } from '../generations/state-parts.ts';
import type { BeginLoad, Load, LoadBatch } from '../sink.ts';
import { createAlias, deleteAlias, listAliases } from './collections.ts';
import { deleteDocuments, deleteEverything } from './documents.ts';
import { readPlaces, readPrimary, type Solr } from './aliases.ts';
import type { LoadState } from './state.ts';

/** Begins or resumes a load of `everything` or `changes`. */
export async function beginLoad(solr: Solr, input: BeginLoad & { mode: LoadState['mode'] }): Promise<Load> {
  const resumed = await findLoad(solr, input);
  if (resumed) {
    await takeOutCarried(solr, resumed);
    return asLoad(resumed, { resumed: true });
  }
  const begun = newProgress(input);
  if (begun.mode === 'everything') await prepareStandby(solr, begun);
  else {
    const collection = await readPrimary(solr);
    await solr.store.change((state) => ({ ...state, load: { ...begun, collection } }), { durable: true });
  }
  return asLoad(begun, { resumed: false });
}

/** The load to resume, if it has the same mode and `since` and its aliases still point to its collection. */
async function findLoad({ client, names, store }: Solr, input: BeginLoad): Promise<LoadState | null> {
  const { load } = await store.read();
  if (load === null || !isResumed(load, input)) return null;
  const listed = await listAliases(client);
  const places = input.mode === 'everything' ? [names.loading, names.standby] : [names.primary];
  return places.every((alias) => listed[alias] === load.collection) ? load : null;
}

/** An earlier attempt has carried held records over, and was killed before the switch. */
async function takeOutCarried({ client, names, store, sets }: Solr, load: LoadState): Promise<void> {
  const { id, carried } = load;
  if (carried === null) return;
  await takeOut(sets.readWritten(carried), async (ids) => {
    await store.read();
    await deleteDocuments(client, names.loading, ids);
  });
  await store.change(
    (state) => ({ ...state, load: { ...checkLoad(state, { id }, names.primary), carried: null } }),
    { durable: true },
  );
}

async function prepareStandby(solr: Solr, begun: Progress): Promise<void> {
  const { client, names, store } = solr;
  const { primary, standby } = await readPlaces(solr);
  // Before the first deletion: from now on no rollback can use the standby.
  await store.change(
    (state) => ({
      ...state,
      load: { ...begun, collection: standby },
      generations: without(state.generations, standby),
    }),
    { durable: true },
  );
  await deleteEverything(client, standby);
  await createAlias(client, names.loading, standby);
  const listed = await listAliases(client);
  if (listed[names.loading] !== standby || listed[names.primary] !== primary) {
    throw new WrongLoadError(
      `${names.loading} does not point to ${standby}, or ${names.primary} no longer to ${primary}; stop other programs that ` +
        'move these aliases',
    );
  }
}

/** Moves the load's cursor past a written batch, only from this run's position. @throws JobError `fenced` */
export async function noteBatch(
  { names, store }: Solr,
  load: Load,
  batch: LoadBatch,
  news: BatchNews,
): Promise<void> {
  await store.change((state) => ({
    ...state,
    load: afterBatch(checkLoad(state, load, names.primary), batch, news, names.primary),
  }));
}

export async function dropLoad({ client, names, store, sets }: Solr, load: Pick<Load, 'id'>): Promise<void> {
  const { mode, collection } = checkLoad(await store.read(), load, names.primary);
  await store.change((state) => ({ ...state, load: checkLoad(state, load, names.primary) && null }));
  if (mode === 'changes') return;
  await deleteAlias(client, names.loading);
  await deleteEverything(client, collection);
  await sets.deleteDropped();
}

function without<T>(entries: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => name !== key));
}
