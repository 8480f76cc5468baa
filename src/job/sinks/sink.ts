/** What every sink can do. Each write also checks the fence (a newer job's claim): where the sink has transactions, in the same one. */

import type { SourceRecord } from '../sources/source.ts';
import type { Items } from './items.ts';

/** A load in progress: everything goes into a third place beside what is live and what is kept. */
export type Load = {
  readonly id: string;
  readonly cursor: string | null;
  readonly done: number;
  readonly resumed: boolean;
};

export type LoadBatch = {
  readonly records: readonly SourceRecord[];
  readonly from: string | null;
  readonly to: string;
};

/** What a switch would do to the live data. */
export type Comparison = {
  readonly live: number;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
};

export type Removals = { readonly live: number; readonly source: number; readonly ids: readonly string[] };

/** Resolves when all earlier batches are committed: a batch commits only then, so cursors never leave a gap. */
export type Turn = Promise<unknown>;

export interface Sink {
  /** As it may be shown: no credentials. */
  readonly shownAs: string;
  /** What in it is written, in words. */
  readonly place: string;

  /** Claims the sink for this job; `fenced` if a newer job has been here. */
  open(): Promise<void>;

  /** The watermark of the live data; null where nothing is live. */
  liveWatermark(): Promise<Date | null>;

  /** A fresh load, or, if `resume` names the load in progress, that one. */
  beginLoad(input: { readonly watermark: Date; readonly resume: string | null }): Promise<Load>;
  /** @returns how many records were new to the load */
  loadBatch(load: Load, batch: LoadBatch, turn: Turn): Promise<number>;
  /** Throws unless the load holds exactly `count` records and each of `sample`. */
  verifyLoad(expected: { readonly count: number; readonly sample: readonly string[] }): Promise<void>;
  compareLoad(): Promise<Comparison>;
  /** Live becomes previous, loaded becomes live, with their watermarks, at once. */
  switchLoad(load: Load): Promise<void>;
  dropLoad(load: Load): Promise<void>;

  /** @param watermark with the last batch: what the live watermark becomes in the same transaction */
  upsert(
    records: readonly SourceRecord[],
    options: { readonly watermark: Date | null; readonly turn: Turn },
  ): Promise<{ readonly added: number; readonly updated: number }>;

  /** What is live and not among `sourceIds`; reads only. */
  findRemovals(sourceIds: AsyncIterable<readonly string[]>): Promise<Removals>;
  /** @param options.last nothing is removed after these @returns how many were there to remove */
  remove(ids: readonly string[], options: { readonly last: boolean; readonly turn: Turn }): Promise<number>;

  /** Live and previous change places, with their watermarks; `nothingToRollBack` where none is kept. */
  rollback(): Promise<void>;

  /** Of sinks that can be an item bank. */
  readonly items?: Items;

  close(): Promise<void>;
}
