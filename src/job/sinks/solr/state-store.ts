/**
 * Stores the state of each alias as one document in the collection `syncrator_state`. Only the run that holds the
 * fence changes it, by compare-and-set on `_version_`.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { JobError } from '../../job-error.ts';
import type { Writer } from '../writer.ts';
import { ServerRefusal } from '../../http/json-client.ts';
import { type SolrClient } from './client.ts';
import { withFence } from '../generations/fence.ts';
import { settleState } from '../generations/settle-plan.ts';
import {
  createFencedStore,
  type FencedStore,
  type StateMedium,
  type Stored,
} from '../generations/fenced-store.ts';
import { EMPTY, parseState, type State, storedForm, withoutLoad } from './state.ts';

export const STATE_COLLECTION = 'syncrator_state';

export type StateStore = FencedStore<State>;

/** `version` as in Solr's optimistic concurrency: -1 means "must not exist yet". */
type Known = Stored<State, string>;

export function createStateStore(client: SolrClient, app: string, writer: Writer): StateStore {
  const medium: StateMedium<State, string> = {
    read: () => readState(client, app),
    write: (next, version, { durable }) => writeState(client, app, next, { version, durable }),
  };
  const place = { alias: app, setting: 'SOLR_APP' };
  const take = (state: State): State => withFence(state, place, writer);
  const settle = (before: State, after: State): State => settleState(before, after, withoutLoad);
  return createFencedStore(medium, { alias: app, writer, take, settle });
}

const exactJson = (text: string): unknown =>
  // A version has more digits than a JavaScript number can hold.
  (JSON.parse as unknown as ParseWithSource)(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? source : value,
  );
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown;

const versionText = z.union([z.string(), z.number().transform(String)]);
const stored = z.object({
  doc: z.object({ state_s: z.string(), _version_: versionText }).catchall(z.unknown()).nullable(),
});
const writeId = z.object({ write: z.uuid() });

async function readState(
  client: SolrClient,
  app: string,
): Promise<Known & { readonly write: string | null }> {
  const { doc } = await client({
    path: `${STATE_COLLECTION}/get`,
    query: { id: app, fl: 'state*,_version_' },
    schema: stored,
    parse: exactJson,
  });
  if (doc === null) return { state: EMPTY, version: '-1', write: null };
  let json: unknown;
  try {
    json = JSON.parse(joined(doc));
  } catch {
    // Invalid JSON is reported below, like an invalid state.
  }
  const write = writeId.safeParse(json);
  const found = parseState(json);
  if (found instanceof z.ZodError || !write.success) {
    throw new JobError(
      'failed',
      `sink: cannot read document ${app} of ${STATE_COLLECTION}: a newer version or another program has written it; upgrade ` +
        'Syncrator',
      { cause: found instanceof z.ZodError ? found : write.error },
    );
  }
  return { state: found, version: doc._version_, write: write.data.write };
}

const added = z.object({ adds: z.tuple([z.string(), versionText]) });

/** Null after a concurrent change. */
async function writeState(
  client: SolrClient,
  app: string,
  next: State,
  { version, durable }: { version: string; durable: boolean },
): Promise<Known | null> {
  const write = randomUUID();
  const document = {
    id: app,
    ...inPieces(JSON.stringify({ ...storedForm(next), write })),
    _version_: version,
  };
  try {
    const { adds } = await client({
      path: `${STATE_COLLECTION}/update`,
      query: { versions: 'true', ...(durable ? { commit: 'true', openSearcher: 'false' } : {}) },
      body: JSON.stringify([document]),
      schema: added,
      parse: exactJson,
    });
    return { state: next, version: adds[1] };
  } catch (error) {
    if (!(error instanceof ServerRefusal) || error.status !== 409) throw error;
    // After a lost answer, the retry meets our own write.
    const there = await readState(client, app);
    return there.write === write ? there : null;
  }
}

/** Below Lucene's limit of 32,766 bytes per term; in ASCII a character is one byte. */
const PIECE = 30_000;

/** Splits JSON into the fields `state_s`, `state_1_s` … */
export function inPieces(json: string): Record<string, string> {
  const ascii = json.replaceAll(
    /[\u007f-\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const pieces: Record<string, string> = {};
  for (let nth = 0; nth * PIECE < ascii.length; nth += 1)
    pieces[pieceName(nth)] = ascii.slice(nth * PIECE, (nth + 1) * PIECE);
  return pieces;
}

export function joined(document: Readonly<Record<string, unknown>>): string {
  let json = '';
  for (let nth = 0; ; nth += 1) {
    const piece = document[pieceName(nth)];
    if (typeof piece !== 'string') return json;
    json += piece;
  }
}

function pieceName(nth: number): string {
  return nth === 0 ? 'state_s' : `state_${nth}_s`;
}
