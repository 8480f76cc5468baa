/**
 * Puts the rules of FIELDS between a source and its reader. Records arrive here checked (record-check.ts), and every later
 * part knows only the mapped ones: load, comparison, sink.
 */
import { createHmac } from 'node:crypto';
import type { RejectedRecord, Source, SourceBatch, SourceRecord } from '../sources/source.ts';
import { createMapping, type Fields, type Mapping, UnfitForRule } from './apply-rules.ts';

export function mapFields(source: Source, fields: Fields): Source {
  let mapping = createMapping(fields);
  let count = 0;

  async function* mapped(batches: AsyncIterable<SourceBatch>): AsyncGenerator<SourceBatch> {
    mapping = createMapping(fields);
    count = 0;
    for await (const batch of batches) {
      count += batch.records.length;
      yield mapBatch(batch, mapping);
    }
  }

  return {
    ...source,
    // A source may know its own only after the survey.
    get mapping() {
      return `${source.mapping ?? ''}${fingerprint(fields)}`;
    },
    changedSince: (since, from, batchSize) => mapped(source.changedSince(since, from, batchSize)),
    remarks() {
      const own = source.remarks?.() ?? [];
      if (count === 0) return own;
      const words = `none of the ${count} records has this field; correct its name, or remove the rule`;
      return [...own, ...mapping.idle().map(({ place }) => `${place}: ${words}`)];
    },
  };
}

function mapBatch(batch: SourceBatch, { map }: Mapping): SourceBatch {
  const records: SourceRecord[] = [];
  const rejected: RejectedRecord[] = [...batch.rejected];
  for (const record of batch.records) {
    const result = map(record);
    if (result instanceof UnfitForRule)
      rejected.push({ where: result.place, id: record.id, why: result.why });
    else records.push(result);
  }
  return { ...batch, records, rejected };
}

/** Differs if rules or key differ, and reveals neither. */
function fingerprint({ rules, hashKey }: Fields): string {
  return createHmac('sha256', hashKey ?? '')
    .update(JSON.stringify(rules))
    .digest('hex')
    .slice(0, 16);
}
