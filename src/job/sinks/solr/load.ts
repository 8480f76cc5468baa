/**
 * A load in progress: `everything` is written to the standby, `changes` to the live collection, and `ids` stay in
 * memory. The state stores the cursors of the first two, so that a later attempt can resume them.
 */
import { randomUUID } from 'node:crypto';
import { WrongLoadError } from '../../job-error.ts';
import { TooManyRejected } from '../../rejected.ts';
import type { RejectedRecord, SourceRecord } from '../../sources/source.ts';
import type { BeginLoad, Load, LoadBatch } from '../sink.ts';
import { createAlias, deleteAlias, listAliases } from './collections.ts';
import { deleteEverything } from './documents.ts';
import { fenced } from './fence.ts';
import { readPlaces, readPrimary, type Solr } from './aliases.ts';
import type { LoadState, State } from './state.ts';

/** More than any MAX_REJECTED (src/job/settings.ts) allows. */
const MOST_REJECTED = 1_000;

/** Begins or resumes a load of `everything` or `changes`. */
export async function beginLoad(solr: Solr, input: BeginLoad & { mode: LoadState['mode'] }): Promise<Load> {
  const resumed = await findLoad(solr, input);
  if (resumed) {
    const { id, mode, began, cursor, done } = resumed;
    return { id, mode, began: new Date(began), cursor, done, resumed: true };
  }
  const id = randomUUID();
  const { mode, since, began } = input;
  const begun = {
    id,
    mode,
    since: since?.toISOString() ?? null,
    began: began.toISOString(),
    cursor: null,
    done: 0,
    written: 0,
    added: 0,
    updated: 0,
    rejected: [],
    rejected_since: null,
  };
  if (mode === 'everything') await prepareStandby(solr, begun);
  else {
    const collection = await readPrimary(solr);
    await solr.store.change((state) => ({ ...state, load: { ...begun, collection } }), { durable: true });
  }
  return { id, mode, began, cursor: null, done: 0, resumed: false };
}

/** The load to resume, if it has the same mode and `since` and its aliases still point to its collection. */
async function findLoad(
  { client, names, store }: Solr,
  { resume, mode, since }: BeginLoad,
): Promise<LoadState | null> {
  const { load } = await store.read();
  if (resume === null || load?.id !== resume || load.mode !== mode) return null;
  if (load.since !== (since?.toISOString() ?? null)) return null;
  const listed = await listAliases(client);
  const places = mode === 'everything' ? [names.loading, names.standby] : [names.primary];
  return places.every((alias) => listed[alias] === load.collection) ? load : null;
}

async function prepareStandby(solr: Solr, begun: Omit<LoadState, 'collection'>): Promise<void> {
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
  news: { rejected: readonly RejectedRecord[] } & Pick<LoadState, 'written' | 'added' | 'updated'>,
): Promise<void> {
  await store.change((state) => {
    const going = checkLoad(state, load, names.primary);
    if (going.cursor !== batch.from) throw fenced(names.primary, 'another attempt continues this load');
    const rejected = [...going.rejected, ...news.rejected];
    if (rejected.length > MOST_REJECTED) throw new TooManyRejected(rejected, MOST_REJECTED);
    return {
      ...state,
      load: {
        ...going,
        cursor: batch.to,
        done: going.done + batch.records.length + batch.listed.length,
        written: going.written + news.written,
        added: going.added + news.added,
        updated: going.updated + news.updated,
        rejected,
        rejected_since: earliest(going.rejected_since, batch.records, news.rejected),
      },
    };
  });
}

function earliest(
  before: string | null,
  records: readonly SourceRecord[],
  rejected: readonly RejectedRecord[],
): string | null {
  const ids = new Set(rejected.map(({ id }) => id));
  const times = records.filter(({ id }) => ids.has(id)).map(({ updated_at: at }) => Date.parse(at));
  if (before !== null) times.push(Date.parse(before));
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}

/** The load in the state. @throws JobError `fenced` if it is another one */
export function checkLoad(state: State, load: Load, app: string): LoadState {
  if (state.load?.id !== load.id) throw fenced(app, 'another run has replaced this load');
  return state.load;
}

export async function dropLoad({ client, names, store }: Solr, load: Load): Promise<void> {
  const { mode, collection } = checkLoad(await store.read(), load, names.primary);
  await store.change((state) => ({ ...state, load: checkLoad(state, load, names.primary) && null }));
  if (mode === 'changes') return;
  await deleteAlias(client, names.loading);
  await deleteEverything(client, collection);
}

function without<T>(entries: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => name !== key));
}
