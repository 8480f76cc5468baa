/**
 * Stores the state of each alias as one document of the index `syncrator-state`. Only the run that holds the fence
 * changes it, by compare-and-set on the document's sequence number.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isMissing, type JsonClient, ServerRefusal } from '../../http/json-client.ts';
import { JobError } from '../../job-error.ts';
import { withFence } from '../generations/fence.ts';
import {
  createFencedStore,
  type FencedStore,
  type StateMedium,
  type Stored,
} from '../generations/fenced-store.ts';
import { settleState } from '../generations/settle-plan.ts';
import type { Writer } from '../writer.ts';
import { EMPTY, type State, stateSchema, storedForm, withoutLoad } from './state.ts';

/** One for all aliases of a cluster: a shard for each alias would cost more than its state. */
export const STATE_INDEX = 'syncrator-state';

/** The body of the index: documents are read by their id alone. */
export const STATE_BODY = {
  settings: { index: { number_of_shards: 1, auto_expand_replicas: '0-1', 'translog.durability': 'request' } },
  mappings: { dynamic: false },
};

/** null: the document must not exist yet. */
type Version = { readonly seqNo: number; readonly term: number } | null;

export function createStateStore(client: JsonClient, alias: string, writer: Writer): FencedStore<State> {
  const medium: StateMedium<State, Version> = {
    read: () => readState(client, alias),
    write: (next, version) => writeState(client, alias, next, version),
  };
  const place = { alias, setting: 'SINK_INDEX' };
  const take = (state: State): State => withFence({ ...state, epoch: nextEpoch(state.epoch) }, place, writer);
  const settle = (before: State, after: State): State => settleState(before, after, withoutLoad);
  return createFencedStore(medium, { alias, writer, take, settle });
}

/**
 * By the clock, so that a run after the state was lost or restored is still newer than what the live index holds, and
 * repeated deletions, which each raise a document's version by one, never reach the next run's.
 */
function nextEpoch(last: number): number {
  return Math.max(last + 1, Date.now());
}

const stored = z.object({
  _seq_no: z.number(),
  _primary_term: z.number(),
  _source: z.object({ write: z.unknown(), state: z.unknown() }),
});
const ours = z.object({ write: z.uuid(), state: stateSchema });

async function readState(
  client: JsonClient,
  alias: string,
): Promise<Stored<State, Version> & { readonly write: string | null }> {
  let document: z.infer<typeof stored>;
  try {
    document = await client({ path: `${STATE_INDEX}/_doc/${alias}`, schema: stored });
  } catch (error) {
    // Neither the index nor the document exists before the first run.
    if (isMissing(error)) return { state: EMPTY, version: null, write: null };
    throw error;
  }
  const { _seq_no: seqNo, _primary_term: term, _source: source } = document;
  const found = ours.safeParse(source);
  if (found.success) return { ...found.data, version: { seqNo, term } };
  throw new JobError(
    'failed',
    `sink: cannot read document ${alias} of ${STATE_INDEX}: a newer version or another program has written it; upgrade ` +
      'Syncrator',
    { cause: found.error },
  );
}

const written = z.object({ _seq_no: z.number(), _primary_term: z.number() });

/** Null after a concurrent change. */
async function writeState(
  client: JsonClient,
  alias: string,
  state: State,
  version: Version,
): Promise<Stored<State, Version> | null> {
  const write = randomUUID();
  try {
    const answer = await client({
      method: 'PUT',
      path: `${STATE_INDEX}/${version === null ? '_create' : '_doc'}/${alias}`,
      ...(version && {
        query: { if_seq_no: String(version.seqNo), if_primary_term: String(version.term) },
      }),
      body: JSON.stringify({ write, state: storedForm(state) }),
      schema: written,
    });
    return { state, version: { seqNo: answer._seq_no, term: answer._primary_term } };
  } catch (error) {
    if (!(error instanceof ServerRefusal) || error.status !== 409) throw error;
    // After a lost answer, the retry meets our own write.
    const there = await readState(client, alias);
    return there.write === write ? there : null;
  }
}
