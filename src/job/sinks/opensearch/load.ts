/**
 * A load in progress: `everything` is written to an index of its own, `changes` to the live index, and `ids` stay in
 * memory. The state stores the cursors of the first two, so that a later attempt can resume them.
 */
import { JobError } from '../../job-error.ts';
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
import { type OpenSearch, readLive } from './alias.ts';
import { removalOf, sendBulk, type Target } from './bulk.ts';
import { createIndex, describeIndex } from './indexes.ts';
import { deleteObsolete } from './obsolete.ts';
import { type IndexLoad, type State, withoutLoad } from './state.ts';
import { takeWriteAlias, writeAlias } from './write-alias.ts';

/** Begins or resumes a load of `everything` or `changes`. */
export async function beginLoad(
  sink: OpenSearch,
  input: BeginLoad & { mode: Progress['mode'] },
): Promise<Load> {
  const resumed = await findLoad(sink, input);
  if (resumed) {
    await takeWriteAlias(sink, resumed.index);
    await takeOutCarried(sink, resumed);
    return asLoad(resumed, { resumed: true });
  }
  const begun = newProgress(input);
  if (begun.mode === 'everything') await makeIndex(sink, begun);
  else {
    const live = await readLive(sink, await sink.store.read());
    if (!live) throw new JobError('failed', 'the sink holds no synchronised records; run sync first');
    await sink.store.change((state) => withLoad(state, { ...begun, index: live.index.name }));
  }
  return asLoad(begun, { resumed: false });
}

/** The load to resume, if it has the same mode and `since`, and its index is still there. */
async function findLoad(sink: OpenSearch, input: BeginLoad): Promise<IndexLoad | null> {
  const state = await sink.store.read();
  const { load } = state;
  if (load === null || !isResumed(load, input)) return null;
  if (load.mode === 'changes') return (await readLive(sink, state))?.index.name === load.index ? load : null;
  return (await describeIndex(sink.client, load.index)) ? load : null;
}

/** An earlier attempt has carried held records over, and was killed before the switch. */
async function takeOutCarried(sink: OpenSearch, { id, index, carried }: IndexLoad): Promise<void> {
  const { store, sets, alias } = sink;
  if (carried === null) return;
  const { epoch } = await store.read();
  await takeOut(sets.readWritten(carried), async (ids) => {
    await sendBulk(sink, { index, epoch }, ids.map(removalOf));
  });
  await store.change((state) => ({ ...state, load: { ...checkLoad(state, { id }, alias), carried: null } }));
}

async function makeIndex(sink: OpenSearch, begun: Progress): Promise<void> {
  const { client, store, alias, body } = sink;
  const index = indexName(alias, begun);
  // Named before it is made, so that it is never forgotten.
  const { epoch } = await store.change((state) => withLoad(state, { ...begun, index }));
  await createIndex(client, index, {
    ...body,
    mappings: { ...body.mappings, _meta: { ...(body.mappings['_meta'] as object), syncrator: { alias } } },
    aliases: { [writeAlias(index, epoch)]: {} },
  });
  await deleteObsolete(sink);
}

/** `cities-20261122-101500-1f9a3c5e`: when it was begun, in UTC, and a part of the load's id. */
function indexName(alias: string, { id, began }: Progress): string {
  const [date = '', time = ''] = began.replaceAll(/[-:]|\..*$/g, '').split('T');
  return `${alias}-${date}-${time}-${id.slice(0, 8)}`;
}

/** The state with this load in place of the earlier one. */
function withLoad(state: State, load: IndexLoad): State {
  return { ...withoutLoad(state), load };
}

/** Where this run may write the load's next batch. @throws JobError `fenced` */
export async function targetOf({ store, alias }: OpenSearch, load: Load): Promise<Target> {
  const state = await store.read();
  return { index: checkLoad(state, load, alias).index, epoch: state.epoch };
}

/** Moves the load's cursor past a written batch, only from this run's position. @throws JobError `fenced` */
export async function noteBatch(
  { store, alias }: OpenSearch,
  load: Load,
  batch: LoadBatch,
  news: BatchNews,
): Promise<void> {
  await store.change((state) => ({
    ...state,
    load: afterBatch(checkLoad(state, load, alias), batch, news, alias),
  }));
}

export async function dropLoad(sink: OpenSearch, load: Load): Promise<void> {
  await sink.store.change((state) => {
    checkLoad(state, load, sink.alias);
    return withoutLoad(state);
  });
  await deleteObsolete(sink);
}
