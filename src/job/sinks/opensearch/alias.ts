/** Resolves the alias to the index that readers see, and refuses indexes that no job of ours has loaded. */
import type { JsonClient, ServerPatience } from '../../http/json-client.ts';
import { JobError } from '../../job-error.ts';
import type { FencedStore } from '../generations/fenced-store.ts';
import type { HeldSets } from '../generations/held-store.ts';
import type { PlannedRecords } from '../generations/planned-records.ts';
import type { Writer } from '../writer.ts';
import { type Index, lookUp } from './indexes.ts';
import type { IndexBody } from './mapping.ts';
import type { IndexGeneration, State } from './state.ts';

export type OpenSearch = {
  readonly client: JsonClient;
  /** The name that readers search. */
  readonly alias: string;
  /** Of every new index. */
  readonly body: IndexBody;
  readonly store: FencedStore<State>;
  readonly sets: HeldSets;
  readonly records: PlannedRecords;
  readonly writer: Writer;
  readonly patience: ServerPatience;
  readonly log: (line: string) => void;
};

export type Live = { readonly index: Index; readonly generation: IndexGeneration };

/**
 * The index that readers see; null before the first switch.
 * @throws JobError `notConfigured`, `sinkReplaced`
 */
export async function readLive({ client, alias, writer }: OpenSearch, state: State): Promise<Live | null> {
  const index = await holderOf(client, alias);
  const takeOver = `take it over: syncrator sink take-over ${writer.target ?? '<target>'} ${writer.env ?? '<env>'}`;
  if (index === null) {
    const [last] = Object.entries(state.generations).find(([, { left_by: by }]) => by === null) ?? [];
    if (last === undefined) return null;
    throw replaced(
      `the alias ${alias} is gone, which the last job left on ${last}; add it again, or ${takeOver}`,
    );
  }
  const generation = state.generations[index.name];
  if (generation?.uuid === index.uuid) return { index, generation };
  const why = `the alias ${alias} points to ${index.name}, which is not the index that the last job loaded`;
  const fix =
    index.madeFor === alias
      ? `to keep it live until the next sync, ${takeOver}`
      : 'remove the alias from it, or set SINK_INDEX to another name';
  throw replaced(`${why}; ${fix}`);
}

/** A take-over keeps only an index that an earlier installation made for this alias. @throws JobError `sinkReplaced` */
export async function refuseForeign({ client, alias }: OpenSearch): Promise<void> {
  const index = await holderOf(client, alias);
  if (index === null || index.madeFor === alias) return;
  throw replaced(
    `the alias ${alias} points to ${index.name}, which Syncrator has not made; remove the alias from it, or set SINK_INDEX ` +
      'to another name',
  );
}

/** The one index of the alias; null without the alias. @throws JobError `notConfigured` */
export async function holderOf(client: JsonClient, alias: string): Promise<Index | null> {
  const found = await lookUp(client, alias);
  const [index] = found;
  if (!index) return null;
  if (found.length > 1) {
    const names = found.map(({ name }) => name).join(', ');
    throw notConfigured(`the alias ${alias} points to several indexes (${names}); point it at one`);
  }
  if (index.name === alias)
    throw notConfigured(`${alias} is an index, not an alias; set SINK_INDEX to a name that is free`);
  return index;
}

function notConfigured(why: string): JobError {
  return new JobError('notConfigured', `OpenSearch: ${why}; nothing was touched`);
}

function replaced(why: string): JobError {
  return new JobError('sinkReplaced', `OpenSearch: ${why}. Nothing was touched`);
}
