/**
 * Erases the earlier values of records for good: the copies of removed ones, their documents in the kept index, the kept plan
 * and a load that has not ended. A rollback then leaves these records as they are. Live records stay.
 */
import { withoutSourceStates } from '../generations/next-generation.ts';
import { removeFound } from '../generations/removed-copies.ts';
import { withStep } from '../generations/steps.ts';
import { type Forgotten, NOTHING_APPLIED } from '../sink.ts';
import { type OpenSearch, readLive } from './alias.ts';
import { removalOf, sendBulk, write } from './bulk.ts';
import { AS_IT_IS } from './copy-live.ts';
import { readDocuments, refresh } from './documents.ts';
import { describeIndex } from './indexes.ts';
import { deleteObsolete } from './obsolete.ts';
import { createCopyStore } from './removed-copies.ts';
import { withoutLoad } from './state.ts';
import { takeWriteAlias } from './write-alias.ts';

/** Safe to repeat. */
export async function forgetRecords(sink: OpenSearch, ids: readonly string[]): Promise<Forgotten> {
  const { client, store, writer } = sink;
  const state = await store.change((now) => ({ ...withoutLoad(now), planned: null }));
  await deleteObsolete(sink);
  const name = (await readLive(sink, state))?.index.name;
  const live = name === undefined ? [] : await readDocuments(client, name, ids);
  let values = await removeFound(createCopyStore(sink, name ?? ''), { ids });
  for (const [kept, { uuid }] of Object.entries(state.generations)) {
    if (kept === name || (await describeIndex(client, kept))?.uuid !== uuid) continue;
    values += await forgetIn(sink, kept, { ids, live });
  }
  await store.change((now) => ({
    ...now,
    generations: withoutSourceStates(now.generations),
    steps: withStep(now.steps, writer, NOTHING_APPLIED),
  }));
  return { values, live: live.map(({ id }) => id).toSorted() };
}

/** The earlier document of a live record becomes the live one. @returns the number of erased documents */
async function forgetIn(
  sink: OpenSearch,
  kept: string,
  { ids, live }: { ids: readonly string[]; live: Awaited<ReturnType<typeof readDocuments>> },
): Promise<number> {
  const { client, store } = sink;
  const there = new Set((await readDocuments(client, kept, ids)).map(({ id }) => id));
  if (there.size === 0) return 0;
  await takeWriteAlias(sink, kept);
  const target = { index: kept, epoch: (await store.read()).epoch };
  const stay = live.filter(({ id }) => there.has(id));
  const staying = new Set(stay.map(({ id }) => id));
  const gone = [...there].filter((id) => !staying.has(id));
  const refused = await sendBulk(sink, target, [
    ...stay.map(({ id, source }) => write(id, source, target, AS_IT_IS)),
    ...gone.map(removalOf),
  ]);
  // Its mapping is older and may refuse the live document: without it, a rollback would say that it removes the record.
  await sendBulk(
    sink,
    target,
    refused.flatMap(({ id }) => (id === null ? [] : [removalOf(id)])),
  );
  await refresh(client, kept);
  return there.size;
}
