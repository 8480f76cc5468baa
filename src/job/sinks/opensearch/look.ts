/** Looks at a sink as a sync would find it; changes nothing on the server. */
import { refuseOtherOwner } from '../generations/fence.ts';
import type { SinkLook } from '../sink.ts';
import { assumingInstallation } from '../writer.ts';
import { holderOf, type OpenSearch, readLive } from './alias.ts';
import { countDocuments } from './documents.ts';

/** @throws JobError as `openOpenSearch`, but never `fenced` */
export async function lookAtOpenSearch(sink: OpenSearch): Promise<SinkLook> {
  const { client, alias, store, writer } = sink;
  const state = await store.look();
  const { installation = null } = state.owner ?? {};
  const place = { alias, setting: 'SINK_INDEX' };
  refuseOtherOwner(state, place, assumingInstallation(writer, { installation }));
  // The next run finishes an interrupted move of the alias, after which the state agrees with it again.
  const live = state.move ? null : await readLive(sink, state);
  const index = live?.index ?? (await holderOf(client, alias));
  return {
    exists: index !== null,
    live: index === null ? 0 : await countDocuments(client, index.name),
    // After a move of the alias readers see the listed records and those that are held.
    kept: 0,
    held: (index && state.generations[index.name]?.held?.count) ?? 0,
    synced: live?.generation.synced === true,
    warnings: [],
  };
}
