/**
 * Copies live documents into the standby: for ids that are listed without a usable record, and for records that the
 * listing lacks and that are held. Refuses the sync if a copy would lose fields of the document.
 */
import { JobError } from '../../job-error.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import { cannotHold, cannotHoldRefused } from '../generations/carry-held.ts';
import { firstIds } from '../generations/first-ids.ts';
import type { SolrClient } from './client.ts';
import type { Document } from './document.ts';
import { readDocuments } from './documents.ts';
import {
  fieldsThatWouldBeLost,
  findPartial,
  isCopied,
  isSolrsOwn,
  readSchema,
  type Schema,
} from './index-only.ts';
import type { Solr } from './aliases.ts';
import { addOrReject } from './write-records.ts';

const SAME_SCHEMA = 'give both collections the same schema';

/**
 * Visible after the next commit. Safe to repeat.
 * @returns how many of these ids are live
 * @throws JobError `recordsRejected`
 */
export async function carryOver(solr: Solr, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { count, lost, rejected } = await copyLive(solr, ids);
  const orCorrect = 'or correct the records in the source';
  if (lost) throw cannotCarryOver(lost.ids, `${lost.why}, ${orCorrect}`);
  const [first] = rejected;
  if (first) {
    const bad = rejected.map(({ id }) => id ?? '');
    throw cannotCarryOver(bad, `${first.why}; ${SAME_SCHEMA}, ${orCorrect}`);
  }
  return count;
}

/** Visible after the next commit. Safe to repeat. @throws JobError `deleteGuard` */
export async function carryHeldOver(solr: Solr, ids: readonly string[]): Promise<void> {
  const { lost, rejected } = await copyLive(solr, ids);
  if (lost) throw cannotHold(lost.ids, lost.why);
  if (rejected.length > 0) throw cannotHoldRefused(rejected, SAME_SCHEMA);
}

type Copied = {
  /** Live documents among the ids. */
  readonly count: number;
  /** Set if a copy would lose fields; then nothing was copied. */
  readonly lost: { readonly ids: readonly string[]; readonly why: string } | null;
  readonly rejected: readonly RejectedRecord[];
};

async function copyLive({ client, names }: Solr, ids: readonly string[]): Promise<Copied> {
  const live = await readDocuments(client, names.primary, ids);
  const count = live.length;
  if (count === 0) return { count, lost: null, rejected: [] };
  const liveIds = live.map(({ id }) => id);
  const schema = await readSchema(client, names.primary);
  const lost = await fieldsThatWouldBeLost(client, names.primary, schema, liveIds);
  if (lost.length > 0) {
    const why = `the fields ${lost.slice(0, 5).join(', ')} of ${names.primary} are indexed but not stored; set stored="true"`;
    return { count, lost: { ids: liveIds, why }, rejected: [] };
  }
  const copies = live.map((document) => asGiven(document, schema));
  return { count, lost: null, rejected: await addOrReject(client, names.loading, copies) };
}

/**
 * Reads live documents as they were given. Leaves out those that use a field that is indexed but not stored, and tells the
 * log why, once.
 */
export function createWholeReader(
  client: SolrClient,
  collection: string,
  log: (line: string) => void,
): (ids: readonly string[]) => Promise<{ whole: { id: string; document: Document }[]; partial: number }> {
  let known: Promise<Schema> | null = null;
  let told = false;
  return async (ids) => {
    const live = await readDocuments(client, collection, ids);
    if (live.length === 0) return { whole: [], partial: 0 };
    const schema = await (known ??= readSchema(client, collection));
    const { fields, ids: partial } = await findPartial(
      client,
      collection,
      schema,
      live.map(({ id }) => id),
    );
    if (fields.length > 0 && !told)
      log(
        `the fields ${fields.slice(0, 5).join(', ')} of ${collection} are indexed but not stored, so copies of removed records ` +
          'would lack them; set stored="true"',
      );
    told ||= fields.length > 0;
    const whole = live.filter(({ id }) => !partial.has(id));
    return {
      whole: whole.map((document) => ({ id: document.id, document: asGiven(document, schema) })),
      partial: live.length - whole.length,
    };
  };
}

/** Reads documents as they were given; of a field that is indexed but not stored nothing can be read. */
export function createGivenReader(
  client: SolrClient,
  collection: string,
): (ids: readonly string[]) => Promise<Document[]> {
  let known: Promise<Schema> | null = null;
  return async (ids) => {
    const found = await readDocuments(client, collection, ids);
    if (found.length === 0) return [];
    const schema = await (known ??= readSchema(client, collection));
    return found.map((document) => asGiven(document, schema));
  };
}

/** The document without the fields that Solr adds by itself. */
function asGiven(document: Document, { copies }: Schema): Document {
  const names = Object.keys(document);
  const given = Object.entries(document).filter(
    ([name]) => name === 'id' || (!isSolrsOwn(name) && !isCopied(name, names, copies)),
  );
  return { id: document.id, ...Object.fromEntries(given) };
}

function cannotCarryOver(ids: readonly string[], why: string): JobError {
  return new JobError(
    'recordsRejected',
    `${ids.length === 1 ? '1 bad record' : `${ids.length} bad records`} cannot be set aside, because the live documents with the ` +
      `same ids cannot be copied completely (${firstIds(ids)}): ${why}. Nothing was changed`,
  );
}
