/** Writes records as documents, and names those that cannot be written. */
import type { RejectedRecord, SourceRecord } from '../../sources/source.ts';
import type { OpenSearch } from './alias.ts';
import { sendBulk, type Target, write } from './bulk.ts';
import { documentOf, unfitReason } from './document.ts';

/** Visible after the next refresh. Safe to repeat. @returns the records that cannot be written */
export async function writeRecords(
  sink: OpenSearch,
  target: Target,
  records: readonly SourceRecord[],
): Promise<RejectedRecord[]> {
  const rejected: RejectedRecord[] = [];
  const fit: SourceRecord[] = [];
  for (const record of records) {
    const why = unfitReason(record);
    if (why === null) fit.push(record);
    else rejected.push({ where: 'OpenSearch', id: record.id, why });
  }
  const operations = fit.map((record) => write(record.id, documentOf(record), target));
  return [...rejected, ...(await sendBulk(sink, target, operations))];
}
