/** Deletes indexes and lists of held records that the state names as ours and no longer needed. */
import type { OpenSearch } from './alias.ts';
import { deleteIndex, describeIndex } from './indexes.ts';
import { isWriteAlias } from './write-alias.ts';

/** Safe to repeat. An index that somebody else's alias shows stays, and one that somebody else made under its name. */
export async function deleteObsolete(sink: OpenSearch): Promise<void> {
  const { client, alias, store, sets, log } = sink;
  await sets.deleteDropped();
  const { obsolete } = await store.read();
  for (const name of obsolete) {
    const index = await describeIndex(client, name);
    const reader = index?.aliases.find((one) => !isWriteAlias(name, one));
    // Asked again right before each: only the run with the fence deletes.
    const { generations, load } = await store.read();
    if (name in generations || load?.index === name) continue;
    if (index && index.madeFor !== alias) log(`the index ${name} was made anew by somebody else: it stays`);
    else if (reader === undefined) await deleteIndex(client, name);
    else log(`the index ${name} is no longer needed, but the alias ${reader} shows it: it stays`);
  }
  if (obsolete.length > 0)
    await store.change((state) => ({
      ...state,
      obsolete: state.obsolete.filter((name) => !obsolete.includes(name)),
    }));
}
