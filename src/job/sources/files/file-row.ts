/** A row of a file, and the file that it is read from. */
import type { FilesSettings } from './files-settings.ts';
import type { Scanned } from './scanned.ts';
import type { Packing } from './unpack.ts';

export type FileRow = {
  /** null: not readable. */
  readonly id: string | null;
  /** ISO 8601; null without a column for it, or without a time in it. */
  readonly at: string | null;
  /** The fields as a JSON object; null if the row cannot be read. */
  readonly record: string | null;
  /** Why it cannot. */
  readonly fault: string | null;
  /** Its number within the file: of the record, of the line, or of the row (a line that may hold line breaks in quotes). */
  readonly place: number;
  readonly counts: 'record' | 'line' | 'row';
};

export type FileToRead = {
  /** As it appears in errors. */
  readonly name: string;
  /** Where DuckDB finds it. */
  readonly path: string;
  readonly packing: Packing;
  readonly scanned: Scanned;
};

export type Choice = Pick<FilesSettings, 'id' | 'updatedAt'>;
