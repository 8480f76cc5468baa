/** Begins a new history for a new owner, so that no rollback restores data of the previous one. */
import { UNKNOWN } from '../generations/state-parts.ts';
import { withStep } from '../generations/steps.ts';
import { NOTHING_APPLIED } from '../sink.ts';
import { holderOf, type OpenSearch } from './alias.ts';
import { deleteObsolete } from './obsolete.ts';
import { copiesOf, findPlace } from './removed-copies.ts';
import type { State } from './state.ts';

/** Safe to repeat. Opening the sink has already stored the new owner. */
export async function takeOver(sink: OpenSearch): Promise<void> {
  const { client, alias, store, writer } = sink;
  const live = await holderOf(client, alias);
  const copies = (await findPlace(sink)) === 'ours' ? [copiesOf(alias)] : [];
  await store.change((state) => {
    const known = live && state.generations[live.name];
    const data = known?.uuid === live?.uuid ? known : null;
    const generations: State['generations'] = live
      ? { [live.name]: { ...(data ?? { ...UNKNOWN, uuid: live.uuid }), left_by: null } }
      : {};
    const others = [...Object.keys(state.generations), ...(state.load ? [state.load.index] : [])];
    return {
      ...state,
      load: null,
      generations,
      // Without a live index, nothing tells which of the others readers had: all of them stay.
      obsolete: [
        ...(live ? [...state.obsolete, ...others.filter((name) => !(name in generations))] : []),
        ...copies,
      ],
      steps: withStep([], writer, NOTHING_APPLIED),
    };
  });
  await deleteObsolete(sink);
}
