/** Types of the lies of sources of rows (tables, files, repositories), and the words in which their tables state them. */

import { LISTINGS } from './lies-of-listings.ts';
import { ends } from './lie.ts';
import type { Fate, Mode, Row } from './model.ts';
import type { Story } from './story.ts';

/** What a source of rows reads, and how a case changes it. */
export type RowPlace = {
  /** Settings of the source; a lie may change them until the next `put`. */
  settings: Record<string, string>;
  /** A record as the source can tell it. */
  shape(row: Row): Row;
  /** From when the first delta reads, in milliseconds. */
  since(): number;
  /** Replaces everything by these rows, honestly; `proven`: with evidence, which a table always gives. */
  put(rows: readonly Row[], proven: boolean): Promise<void>;
  /** Publishes what `put` and the lie have prepared. */
  ready(): Promise<void>;
  /** Waits for what the lie has begun meanwhile. */
  settle(): Promise<void>;
  close(): Promise<void>;
};

export type RowLie<P extends RowPlace = RowPlace> = {
  readonly name: string;
  readonly fate: (mode: Mode) => Fate;
  /** The records that the source tells; the truth by default. */
  readonly rows?: (story: Story, mode: Mode) => readonly Row[];
  /** Records that the source tells as deleted, with the time of that; none by default. */
  readonly deletes?: (story: Story) => readonly Row[];
  /** Some of them that the listing leaves out. */
  readonly misses?: (story: Story, mode: Mode) => readonly Row[];
  /** From when a delta is told changes, if not from when it asks. */
  readonly since?: (asked: number) => number;
  /** A told record as the program reads it. */
  readonly reads?: (row: Row) => Row;
  /** One of them, which cannot be stored although MAX_REJECTED allows it; `nameless`: its id cannot be read. */
  readonly setAside?: { readonly row: (story: Story) => Row; readonly as: 'by id' | 'nameless' };
  /** Records that exist when they are requested again, besides the told ones; and told ones that do not. */
  readonly answers?: (story: Story) => readonly Row[];
  readonly silent?: (story: Story) => readonly Row[];
  /** Changes the place after the records are in it. */
  readonly tell?: (place: P, story: Story, mode: Mode) => Promise<void> | void;
  /** Acts once the program has written such a line to its log. */
  readonly meanwhile?: { readonly at: RegExp; act(place: P, story: Story): void };
  readonly environment?: Readonly<Record<string, string>>;
  readonly options?: string;
};

export const FAILED = ends('failed');
export const PART = ends('incompleteListing');
export const AWAY = ends('sourceUnreachable');
export const LATE = ends('sourceTimeout');
export const UNAUTHORIZED = ends('sourceUnauthorized');
export const WRONG = ends('notConfigured');
export const REJECTED = ends('recordsRejected');

/** The lies about which records exist, of sources that have no order of their own and keep each id once. */
export const TOLD_ROWS: readonly RowLie[] = LISTINGS.flatMap(
  ({ only, name, fate, lines, environment, options }) => {
    if (only !== undefined || lines === undefined || fate('everything').kind !== 'read') return [];
    const rows = (story: Story, mode: Mode): Row[] => lines(story, mode).map(({ row }) => row);
    return [{ name, fate, rows, ...(environment ? { environment } : {}), ...(options ? { options } : {}) }];
  },
);
