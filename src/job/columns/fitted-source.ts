/**
 * Puts the types of SINK_COLUMNS between a source and its reader: a record with a value that does not fit its column is set
 * aside, so that its live record stays.
 */
import { fingerprintOf } from '../sources/fingerprint.ts';
import type { RejectedRecord, Source, SourceBatch, SourceRecord } from '../sources/source.ts';
import { sqlName, unfitFor } from './column-types.ts';
import type { Column } from './parse-columns.ts';

export function fitColumns(source: Source, columns: readonly Column[]): Source {
  if (columns.length === 0) return source;
  let found = new Set<Column>();
  let count = 0;

  async function* fitted(batches: AsyncIterable<SourceBatch>): AsyncGenerator<SourceBatch> {
    found = new Set();
    count = 0;
    for await (const batch of batches) {
      count += batch.records.length;
      const records: SourceRecord[] = [];
      const rejected: RejectedRecord[] = [...batch.rejected];
      for (const record of batch.records) {
        const unfit = unfitColumn(record, columns, found);
        if (unfit) rejected.push(unfit);
        else records.push(record);
      }
      yield { ...batch, records, rejected };
    }
  }

  return {
    ...source,
    // A load that was checked against another list is not resumed.
    get mapping() {
      return `${source.mapping ?? ''}${fingerprint(columns)}`;
    },
    changedSince: (since, from, batchSize) => fitted(source.changedSince(since, from, batchSize)),
    remarks() {
      const own = source.remarks?.() ?? [];
      if (count === 0) return own;
      const words = `none of the ${count} records has this field; correct its name, or remove the column`;
      return [
        ...own,
        ...columns.filter((column) => !found.has(column)).map((column) => `${placeOf(column)}: ${words}`),
      ];
    },
  };
}

/** Notes in `found` which columns have a field. */
function unfitColumn(
  { id, record }: SourceRecord,
  columns: readonly Column[],
  found: Set<Column>,
): RejectedRecord | null {
  for (const column of columns) {
    if (!Object.hasOwn(record, column.name)) continue;
    found.add(column);
    const wanted = unfitFor(column.type, record[column.name]);
    if (wanted !== null)
      return {
        where: placeOf(column),
        id,
        why: `its field is not ${wanted}; correct the record, or the type in SINK_COLUMNS`,
      };
  }
  return null;
}

function placeOf({ name, type }: Column): string {
  return `SINK_COLUMNS ${name} ${sqlName(type)}`;
}

function fingerprint(columns: readonly Column[]): string {
  return fingerprintOf(columns.map(({ name, type }) => [name, sqlName(type)]));
}
