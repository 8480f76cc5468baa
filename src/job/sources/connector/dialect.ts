/** The common part of both protocols: commands that end, streams, and the reading of one stream as a whole. */
import type { Fields } from '../json-object.ts';

export type Stream = {
  readonly name: string;
  readonly namespace: string | null;
  /** Paths of the fields that together identify a record; null: the connector tells none. */
  readonly key: readonly (readonly string[])[] | null;
  /** The field that tells when a record changed, if the connector names one. */
  readonly cursor: string | null;
  /** As the connector describes it. */
  readonly definition: Fields;
};

/** Takes what a reading brings. */
export type Taking = {
  readonly record: (data: Fields) => void;
  /** The connector says that it has left out or cut values of the record before. */
  readonly altered: () => void;
  /** A line that may have been a record. */
  readonly unreadable: (why: string) => void;
};

export type Dialect = {
  /** The form of its config, as JSON Schema; null: the protocol has none. @throws JobError */
  readonly spec: () => Promise<Fields | null>;
  /** Checks the config, too, if the protocol can. @throws JobError, also if the connector does not reach its source */
  readonly discover: () => Promise<readonly Stream[]>;
  /**
   * @param of.from reads the changes since this STATE, if the stream can (`goesOn`); null: everything
   * @param of.together runs the work for some messages
   * @throws IncompleteListingError if it is provably incomplete
   */
  readonly read: (
    stream: Stream,
    taking: Taking,
    of: { from: From | null; together: (work: () => void) => Promise<void> },
  ) => Promise<ReadEnd>;
  /** Whether the connector can list changes of this stream by its STATE. */
  readonly goesOn: (stream: Stream) => boolean;
};

/** The place from which changes are read. */
export type From = {
  /** As JSON; null: from the beginning, to get a first STATE. */
  readonly state: string | null;
};

export type ReadEnd = {
  /** Why the stream is not proven complete; null: it is. */
  readonly doubt: string | null;
  /** The last STATE of a reading of changes that ended well; null: none. */
  readonly state: unknown;
};

/** Whether a message is about the stream. Some connectors leave out the namespace, and only one stream is asked for. */
export function isAbout(
  stream: Pick<Stream, 'name' | 'namespace'>,
  name: unknown,
  namespace: unknown,
): boolean {
  return name === stream.name && (namespace || stream.namespace) === stream.namespace;
}

/** `namespace.name`. */
export function fullName({ name, namespace }: Pick<Stream, 'name' | 'namespace'>): string {
  return namespace === null ? name : `${namespace}.${name}`;
}
