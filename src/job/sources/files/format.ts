/** Tells the format of a file by the end of its name. */
import { JobError } from '../../job-error.ts';

export const FORMATS = ['csv', 'tsv', 'json', 'ndjson', 'parquet'] as const;
export type FileFormat = (typeof FORMATS)[number];

const ENDS: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
};

/** @param chosen SOURCE_FORMAT @throws JobError `notConfigured` */
export function formatOf(name: string, chosen: FileFormat | null): FileFormat {
  if (chosen !== null) return chosen;
  const bare = name.toLowerCase().replace(/\.(gz|zst|zstd)$/, '');
  const format = ENDS[/\.([a-z]+)$/.exec(bare)?.[1] ?? ''];
  if (format !== undefined) return format;
  throw new JobError(
    'notConfigured',
    `the name of ${name} does not tell its format; set SOURCE_FORMAT to ${FORMATS.slice(0, -1).join(', ')} or ${FORMATS.at(-1)}`,
  );
}
