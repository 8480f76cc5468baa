/** The interface of a place where files are: a disk, a web server, a bucket. */
import type { Patience } from '../../http/outage.ts';

export type PlaceOptions = { readonly patience: Patience; readonly silenceMs?: number };

export type FoundFile = {
  /** As it appears in logs and errors. */
  readonly name: string;
  /** Differs once the file has changed: its size and time, or its ETag. */
  readonly version: string;
  /** false: the server tells neither ETag nor time, so that two files of one size have one version. */
  readonly isSure: boolean;
  /** When it was written, by the clock of this machine; null if the place cannot tell. */
  readonly writtenMs: number | null;
  /** The number in `<file>.total`; null without one. */
  readonly total: () => Promise<number | null>;
  /** @param folder for what has to be fetched first */
  readonly open: (folder: string) => Promise<OpenFile>;
};

export type OpenFile = {
  /** Where the file can be read on this machine. */
  readonly path: string;
  /** Its bytes, from the first one on. */
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /**
   * `whole`: the place shows a file only once it is written. `as-written`: it may be cut. `unframed`: it may also have
   * been cut on its way.
   */
  readonly arrived: 'whole' | 'as-written' | 'unframed';
  /** Also deletes what was fetched. */
  readonly close: () => Promise<void>;
};

export type Place = {
  /** Without credentials. */
  readonly shownAs: string;
  readonly isPattern: boolean;
  /** The files that are there now, in a fixed order. @throws JobError without any */
  readonly list: () => Promise<readonly FoundFile[]>;
};

/** Whether two lists name the same files in the same state. */
export function isSameList(one: readonly FoundFile[], other: readonly FoundFile[]): boolean {
  return versionsOf(one) === versionsOf(other);
}

export function versionsOf(files: readonly FoundFile[]): string {
  return JSON.stringify(files.map(({ name, version }) => [name, version]));
}
