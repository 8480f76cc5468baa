/** Looks at a sink as a sync would find it; changes nothing in Solr. */
import { isMissing } from '../../http/json-client.ts';
import { refuseOtherOwner } from '../generations/fence.ts';
import type { SinkLook } from '../sink.ts';
import { assumingInstallation } from '../writer.ts';
import { generationIn, readPlaces, type Solr } from './aliases.ts';
import { countDocuments } from './documents.ts';
import { EMPTY, type State } from './state.ts';

/** @throws JobError as `openSolr`, but never `fenced` */
export async function lookAtSolr(solr: Solr): Promise<SinkLook> {
  const { client, names, store, writer } = solr;
  const { primary } = await readPlaces(solr);
  // The first run creates the collection of the states.
  const state: State = await store.look().catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return EMPTY;
  });
  const { installation = null } = state.owner ?? {};
  const place = { alias: names.primary, setting: 'SOLR_APP' };
  refuseOtherOwner(state, place, assumingInstallation(writer, { installation }));
  const generation = await generationIn(solr, state, primary);
  return {
    exists: true,
    live: await countDocuments(client, primary),
    // After a switch of the aliases readers see the listed records and those that are held.
    kept: 0,
    held: generation?.held?.count ?? 0,
    synced: generation?.synced === true,
    warnings: [],
  };
}
