/**
 * Copies live documents into the standby for ids that are listed without a usable record. Refuses the sync if a copy
 * would lose fields of the document.
 */
import { JobError } from '../../job-error.ts';
import type { Document } from './document.ts';
import { readDocuments } from './documents.ts';
import { fieldsThatWouldBeLost, isSolrsOwn, matches, readSchema, type Schema } from './index-only.ts';
import type { Solr } from './aliases.ts';
import { addOrReject } from './write-records.ts';

/**
 * Visible after the next commit. Safe to repeat.
 * @returns how many of these ids are live
 * @throws JobError `recordsRejected`
 */
export async function carryOver({ client, names }: Solr, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const live = await readDocuments(client, names.primary, ids);
  if (live.length === 0) return 0;
  const liveIds = live.map(({ id }) => id);
  const schema = await readSchema(client, names.primary);
  const lost = await fieldsThatWouldBeLost(client, names.primary, schema, liveIds);
  if (lost.length > 0) {
    throw cannotCarryOver(
      liveIds,
      `the fields ${lost.slice(0, 5).join(', ')} of ${names.primary} are indexed but not stored; set stored="true", or ` +
        'correct the records in the source',
    );
  }
  const rejected = await addOrReject(
    client,
    names.loading,
    live.map((document) => asGiven(document, schema)),
  );
  const [first] = rejected;
  if (first) {
    const bad = rejected.map(({ id }) => id ?? '');
    throw cannotCarryOver(
      bad,
      `${first.why}; give both collections the same schema, or correct the records in the source`,
    );
  }
  return live.length;
}

/** The document without the fields that Solr adds by itself. */
function asGiven(document: Document, { copied }: Schema): Document {
  const given = Object.entries(document).filter(
    ([name]) => name === 'id' || (!isSolrsOwn(name) && ![...copied].some((dest) => matches(dest, name))),
  );
  return { id: document.id, ...Object.fromEntries(given) };
}

function cannotCarryOver(ids: readonly string[], why: string): JobError {
  const first = ids.slice(0, 5).map((id) => JSON.stringify(id.slice(0, 100)));
  return new JobError(
    'recordsRejected',
    `${ids.length === 1 ? '1 bad record' : `${ids.length} bad records`} cannot be set aside, because the live documents with the ` +
      `same ids cannot be copied completely (${first.join(', ')}${ids.length > 5 ? ', …' : ''}): ${why}. Nothing was changed`,
  );
}
