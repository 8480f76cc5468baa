/**
 * The sink's memory: one document per alias in a small collection of its own, changed only by compare-and-set
 * (`_version_`). It keeps the highest job seen (the fence), the watermark of each complete generation by the name of
 * its collection, the load in progress, and where the aliases are being moved.
 */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import { type SolrClient, SolrRefusal } from './client.ts';

export const STATE_COLLECTION = 'syncrator_state';

const generation = z.object({
  /** The collection's own; another one means that it was made anew, and the data of this generation are gone. */
  created: z.number().nullable(),
  /** null: complete, but loaded by somebody else, so nobody knows what it is up to date with. */
  watermark: z.iso.datetime().nullable(),
});

const load = z.object({
  id: z.uuid(),
  collection: z.string(),
  watermark: z.iso.datetime(),
  cursor: z.string().nullable(),
  done: z.number().int(),
});

/** Where the aliases shall be; written before the first is moved, gone when the last is. */
const move = z.object({
  kind: z.enum(['switch', 'rollback']),
  primary: z.string(),
  standby: z.string(),
});

const state = z.object({
  highest_job_id: z.number().int().nullable(),
  generations: z.record(z.string(), generation),
  load: load.nullable(),
  move: move.nullable(),
  /** The job whose rollback was the last: another attempt of it shall not go back again. */
  rolled_back_by: z.number().int().nullable(),
});

export type State = z.infer<typeof state>;
export type Generation = z.infer<typeof generation>;
export type Move = z.infer<typeof move>;

export type StateStore = {
  /** The newest; `fenced` if a newer job has been here. */
  read(): Promise<State>;
  /**
   * Makes `next` of the state the new one, claimed for our job; asked again where somebody else was quicker.
   * @param options.durable it outlives a crash of Solr's machine, before which a mere answer may be lost
   * @throws what `next` throws; JobError `fenced`
   */
  change(next: (state: State) => State, options?: { durable: boolean }): Promise<State>;
};

const EMPTY: State = { highest_job_id: null, generations: {}, load: null, move: null, rolled_back_by: null };
const TRIES = 10;

/** `version` as Solr's optimistic concurrency takes it: -1 for "must not be there yet". */
type Known = { readonly state: State; readonly version: string; readonly write: string | null };

/** @param jobId null for a stand-alone run, which passes every fence and raises none */
export function createStateStore(client: SolrClient, app: string, jobId: number | null): StateStore {
  // What we wrote last is nearly always what is there still: the compare-and-set itself tells when it is not. What is
  // read is not kept: of two batches at once, one may have read what the other has written over since.
  let known: Known | null = null;

  const refuseIfOlder = ({ highest_job_id }: State): void => {
    if (jobId === null || (highest_job_id ?? 0) <= jobId) return;
    throw fenced(`a newer job has written to ${app}`);
  };

  return {
    async read() {
      const { state: found } = await readState(client, app);
      refuseIfOlder(found);
      return found;
    },

    async change(next, { durable } = { durable: false }) {
      for (let tried = 0; tried < TRIES; tried += 1) {
        known ??= await readState(client, app);
        refuseIfOlder(known.state);
        const wanted = { ...next(known.state), highest_job_id: jobId ?? known.state.highest_job_id };
        known = await writeState(client, app, wanted, { version: known.version, durable });
        if (known) return wanted;
      }
      throw fenced(`others keep writing to ${app}`);
    },
  };
}

export function fenced(why: string): JobError {
  return new JobError('fenced', `${why}; stopped before the next batch`);
}

const exactJson = (text: string): unknown =>
  // A version has more digits than a number of JavaScript.
  (JSON.parse as unknown as ParseWithSource)(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? source : value,
  );
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown;

const versionText = z.union([z.string(), z.number().transform(String)]);
const stored = z.object({
  doc: z.object({ state_s: z.string(), _version_: versionText }).nullable(),
});
const storedState = state.extend({ write: z.uuid() });

async function readState(client: SolrClient, app: string): Promise<Known> {
  const { doc } = await client({
    path: `${STATE_COLLECTION}/get`,
    query: { id: app, fl: 'state_s,_version_' },
    schema: stored,
    parse: exactJson,
  });
  if (doc === null) return { state: EMPTY, version: '-1', write: null };
  let text: unknown;
  try {
    text = JSON.parse(doc.state_s);
  } catch {
    // Judged with what is JSON and no state.
  }
  const found = storedState.safeParse(text);
  if (!found.success) {
    throw new JobError('failed', `sink: document ${app} of ${STATE_COLLECTION} is not ours to read`, {
      cause: found.error,
    });
  }
  const { write, ...rest } = found.data;
  return { state: rest, version: doc._version_, write };
}

const added = z.object({ adds: z.tuple([z.string(), versionText]) });

/** Null where somebody else was quicker. */
async function writeState(
  client: SolrClient,
  app: string,
  next: State,
  { version, durable }: { version: string; durable: boolean },
): Promise<Known | null> {
  const write = randomUUID();
  const document = { id: app, state_s: JSON.stringify({ ...next, write }), _version_: version };
  try {
    const { adds } = await client({
      path: `${STATE_COLLECTION}/update`,
      query: { versions: 'true', ...(durable ? { commit: 'true', openSearcher: 'false' } : {}) },
      body: JSON.stringify([document]),
      schema: added,
      parse: exactJson,
    });
    return { state: next, version: adds[1], write };
  } catch (error) {
    if (!(error instanceof SolrRefusal) || error.status !== 409) throw error;
    // After an answer that was lost, the try that follows meets our own write.
    const there = await readState(client, app);
    return there.write === write ? there : null;
  }
}
