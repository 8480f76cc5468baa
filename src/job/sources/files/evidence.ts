/** Decides what proves that the files are whole, and that none is missing. */
import { IncompleteListingError } from '../../job-error.ts';
import type { Evidence } from '../source.ts';
import type { FileFormat } from './format.ts';
import type { Inspected } from './inspect.ts';
import type { OpenFile } from './place.ts';

export type FileFacts = Inspected & {
  readonly name: string;
  readonly format: FileFormat;
  readonly arrived: OpenFile['arrived'];
  /** Records read, with those set aside. */
  readonly count: number;
  /** The number in `<file>.total`; null without one. */
  readonly total: number | null;
};

/**
 * @returns what is missing for a proof; null: the file is whole
 * @param complete SOURCE_FILE_COMPLETE
 * @throws IncompleteListingError for a file that is cut, or has not as many records as it should
 */
export function doubtOf(file: FileFacts, complete: boolean): string | null {
  const { name, count, total, arrived, packing, isOneStream, format, scanned } = file;
  if (total !== null && total !== count)
    throw new IncompleteListingError(`${name}: ${count} records read, but ${name}.total says ${total}`);
  // An end that only a writer who got there writes: a footer, a bracket, the check sum of a stream.
  if (format === 'parquet' || format === 'json' || isOneStream) return null;
  const pack = packing === 'none' ? 'pack it with gzip or zstd' : `pack it as one ${packing} stream`;
  if (total !== null || arrived === 'whole') return null;
  // A cut value is no bad line, so nothing else tells.
  if (scanned.lineEnded === false && (format === 'csv' || format === 'tsv')) {
    const fix = `end its last line with a line break, ${pack}, or add a file ${name}.total`;
    throw new IncompleteListingError(`${name} ends within a line; ${fix} with the number of its records`);
  }
  if (complete && arrived === 'as-written') return null;
  if (arrived === 'unframed') {
    const fix = 'the server must send Content-Length or use chunked encoding';
    return `${name} ended with its connection, so it may be cut: ${fix}`;
  }
  return `nothing proves that ${name} is complete; add a file ${name}.total with the number ${count}, ${pack}, or set SOURCE_FILE_COMPLETE=true`;
}

/** @param of.hole where a row without a readable id stands; null without one */
export function evidenceOf(of: {
  files: readonly FileFacts[];
  isPattern: boolean;
  complete: boolean;
  hole: string | null;
}): Evidence {
  const { files, isPattern, complete, hole } = of;
  const count = files.reduce((sum, file) => sum + file.count, 0);
  const read = `${count} records in ${files.length === 1 ? '1 file' : `${files.length} files`}`;
  if (hole !== null) return { complete: false, words: `${read}, but the id of ${hole} cannot be read` };
  for (const file of files) {
    const doubt = doubtOf(file, complete);
    if (doubt !== null) return { complete: false, words: `${read}, but ${doubt}` };
  }
  if (isPattern && !complete) {
    const fix = 'set SOURCE_FILE_COMPLETE=true if its writer puts all files in place at once';
    return {
      complete: false,
      words: `${read}, but nothing proves that the pattern matches all files; ${fix}`,
    };
  }
  return { complete: true, words: `${read}, each whole${complete ? ' (SOURCE_FILE_COMPLETE=true)' : ''}` };
}
