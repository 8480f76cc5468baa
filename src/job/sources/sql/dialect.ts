/** The interface of a database system: how it opens a snapshot, and how it writes the parts of our statements. */
import type { Column } from '../columns.ts';
import type { Row } from '../row-line.ts';
import type { SqlFault } from './sql-fault.ts';

/** Alias of the rows that a row is compared with. */
export const OTHERS = 'o';

/** The rows to read, checked against the columns that exist. */
export type Selection = {
  /** The table or SELECT, as it stands behind FROM with the alias `q`. */
  readonly from: string;
  /** The same with the alias {@link OTHERS}. */
  readonly others: string;
  readonly id: readonly Column[];
  readonly updatedAt: Column | null;
  readonly deletedAt: Column | null;
  /** Columns that become fields of the record. */
  readonly fields: readonly Column[];
};

/** Limits the rows: changed at or after `since`, with an id after `after`. */
export type Part = { readonly since: Date | null; readonly after: string | null };

/** Writes parts of statements. Every name and text that it writes is quoted. */
export type Grammar = {
  readonly name: (name: string) => string;
  readonly text: (text: string) => string;
  /** The id as text; null if one of its columns is null. */
  readonly id: (columns: readonly Column[]) => string;
  /** A text expression in a form that compares and sorts by bytes. */
  readonly bytes: (text: string) => string;
  readonly changedSince: (column: Column, since: Date) => string;
  /** Both aliases have the same value in the column. Without it, `=`. */
  readonly same?: (column: Column, one: string, other: string) => string;
  /** Conditions of every statement. */
  readonly always?: readonly string[];
};

/** A read-only session in which every statement sees the same state of the database. */
export type Snapshot = {
  readonly grammar: Grammar;
  /** The server's clock when the snapshot was taken; null for a file, which has none. */
  readonly clock: Date | null;
  /** By how much the snapshot may be older than that clock, as that of a replica. */
  readonly lagMs?: number;
  /** Columns of what stands behind FROM. */
  readonly columns: (from: string) => Promise<readonly Column[]>;
  /** Runs a statement that returns one row of numbers. */
  readonly counts: (sql: string) => Promise<readonly number[]>;
  /** Rows in byte order of their ids. */
  readonly rows: (of: Selection, part: Part) => AsyncIterable<readonly Row[]>;
  /** Ids in byte order. */
  readonly ids: (of: Selection, part: Part) => AsyncIterable<readonly string[]>;
  /** Runs a statement that returns a column of ids, few enough for the memory. */
  readonly found: (sql: string) => Promise<readonly string[]>;
  /** Also ends a statement in hand. */
  readonly close: () => Promise<void>;
};

export type Dialect = {
  /** Connects and takes the snapshot. */
  readonly open: () => Promise<Snapshot>;
  /** The meaning of an error that this dialect threw. */
  readonly faultOf: (error: unknown) => SqlFault;
};

export type DialectOptions = {
  readonly url: string;
  /** Longest time of a statement, in milliseconds. */
  readonly statementMs: number;
};
