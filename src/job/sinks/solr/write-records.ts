/** Writes records as documents; finds refused ones by bisection and describes the reason without their data. */
import type { RejectedRecord, SourceRecord } from '../../sources/source.ts';
import { ServerRefusal } from '../../http/json-client.ts';
import { type SolrClient } from './client.ts';
import { type Document, documentOf, UnfitRecord } from './document.ts';
import { addDocuments } from './documents.ts';

/** Visible after the next commit. Safe to repeat. @returns the records that cannot be written */
export async function writeRecords(
  client: SolrClient,
  collection: string,
  records: readonly SourceRecord[],
): Promise<RejectedRecord[]> {
  const rejected: RejectedRecord[] = [];
  const documents: Document[] = [];
  for (const record of records) {
    const document = documentOf(record);
    if (document instanceof UnfitRecord) rejected.push({ where: 'Solr', id: record.id, why: document.why });
    else documents.push(document);
  }
  return [...rejected, ...(await addOrReject(client, collection, documents))];
}

/** Visible after the next commit. Safe to repeat. @returns the documents that Solr refuses */
export async function addOrReject(
  client: SolrClient,
  collection: string,
  documents: readonly Document[],
): Promise<RejectedRecord[]> {
  try {
    await addDocuments(client, collection, documents);
    return [];
  } catch (error) {
    if (!isRefusalOfDocuments(error)) throw error;
    const [only] = documents;
    if (documents.length === 1 && only) return [{ where: 'Solr', id: only.id, why: reasonIn(error) }];
  }
  const half = Math.ceil(documents.length / 2);
  return [
    ...(await addOrReject(client, collection, documents.slice(0, half))),
    ...(await addOrReject(client, collection, documents.slice(half))),
  ];
}

/** Bad request, content too large. */
function isRefusalOfDocuments(error: unknown): error is ServerRefusal {
  return error instanceof ServerRefusal && (error.status === 400 || error.status === 413);
}

/** Maps Solr's messages, which quote the value, to reasons that name only the field. */
const REASONS: readonly (readonly [RegExp, (field: string) => string])[] = [
  [
    /unknown field '([^']{1,100})'/,
    (field) => `Solr knows no field '${field}'; add it to the schema or remove it in the source`,
  ],
  [
    /Error adding field '([^']{1,100})'=/,
    (field) => `Solr refuses the value of the field '${field}'; check the field's type in the schema`,
  ],
  [
    /multiple values encountered for non multiValued (?:copy )?field ([^\s:]{1,100})/,
    (field) => `the field '${field}' accepts one value, but the record has several`,
  ],
  [/missing required field: (\S{1,100})/, (field) => `the field '${field}', which Solr requires, is missing`],
  [
    /immense term in field="([^"]{1,100})"/,
    (field) => `the value of the field '${field}' is longer than Solr can index as one term (32,766 bytes)`,
  ],
];

function reasonIn({ status, message }: ServerRefusal): string {
  if (status === 413) return 'it exceeds the size limit of Solr';
  for (const [form, inWords] of REASONS) {
    const field = form.exec(message)?.[1];
    if (field !== undefined) return inWords(field);
  }
  return `Solr refuses it with status ${status}; see Solr's log for the reason`;
}
