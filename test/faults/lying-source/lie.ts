/** Types of lies, and the words in which the tables of lies state them. */

import type { Fate, ExitName, Mode, Row } from './model.ts';
import type { Story } from './story.ts';

export type SourceKind = 'http' | 'file';

/** A record as the source tells it. */
export type Line = {
  readonly row: Row;
  readonly text: string | Buffer;
  /** In listings of ids. */
  readonly idText: string | Buffer;
  /** It cannot be stored, but MAX_REJECTED allows it. `nameless`: not even its id can be read. */
  readonly setAside?: 'by id' | 'nameless';
};

/** One request of the program. */
export type Ask = {
  readonly kind: 'survey' | 'listing' | 'asked';
  readonly mode: Mode;
  readonly after: string | null;
  /** Requests of the listing before this one, in this run. */
  readonly nth: number;
  /** Chosen by the seed, 0 to 3: a listing has four pages. */
  readonly chosen: number;
  /** All matching records. */
  readonly lines: readonly Line[];
  /** All existing records. */
  readonly everything: readonly Line[];
  readonly redirected: boolean;
  /** Another origin, which answers like an honest source. */
  readonly elsewhere: string;
};

export type Answer = {
  status: number;
  headers: Record<string, string | undefined>;
  lines: readonly Line[];
  more: boolean;
  total: string | undefined;
  /** Replaces the lines. */
  body: Buffer | undefined;
  /** Applied last, to the bytes. */
  pack: ((body: Buffer) => Buffer) | undefined;
  frame: 'length' | 'chunked' | 'close';
  /** Added to Content-Length. */
  longer: number;
  /** Sends only so much of the body, and then: */
  cut: { at: (body: Buffer) => number; and: 'end' | 'reset' | 'silence' } | undefined;
  /** Sends no byte of an answer. */
  instead: 'reset' | 'silence' | undefined;
};

export type HttpTold = (answer: Answer, ask: Ask) => void;

export type ToldFile = {
  /** Without line ends. */
  lines: (string | Buffer)[];
  end: string | null;
  beside: string | null;
  newline: string;
  lastNewline: boolean;
  whole: ((text: Buffer) => Buffer) | undefined;
  /** Written just now, so that the program waits; `meanwhile` happens then. */
  young: boolean;
  mtime: Date | undefined;
  meanwhile: ((path: string) => void) | undefined;
  /** Replaces the file. */
  instead: 'nothing' | 'directory' | 'fifo' | 'loop' | undefined;
};

export type Lie = {
  readonly name: string;
  readonly only?: SourceKind;
  readonly fate: (mode: Mode) => Fate;
  /** The source's answer instead of the truth. */
  readonly lines?: (story: Story, mode: Mode) => readonly Line[];
  /** Records that exist although the listing lacks them. */
  readonly answers?: (story: Story) => readonly Row[];
  readonly http?: HttpTold;
  readonly file?: (file: ToldFile, story: Story) => void;
  readonly environment?: Readonly<Record<string, string>>;
  readonly options?: string;
};

export const READ: Fate = { kind: 'read' };
export const UNPROVEN: Fate = { kind: 'unproven' };
export const ends = (...exits: ExitName[]): Fate => ({ kind: 'ends', exits });

export const always =
  (fate: Fate): Lie['fate'] =>
  () =>
    fate;
export const but =
  (fate: Fate, not: Mode): Lie['fate'] =>
  (mode) =>
    mode === not ? READ : fate;

/** Changes one record, whose text is otherwise true. */
export function honest(row: Row): Line {
  const head = `{"id":${JSON.stringify(row.id)},"updated_at":${JSON.stringify(row.updated_at)}`;
  const text = row.json === '{}' ? `${head}}` : `${head},${row.json.slice(1)}`;
  return { row, text, idText: JSON.stringify({ id: row.id }) };
}

export const honestly = (rows: readonly Row[]): Line[] => rows.map(honest);

/** The truth, except for one record that a delta sees. */
export function withOne({ next, recent, random }: Story, change: (line: Line) => Line): Line[] {
  const chosen = random.pick(recent);
  return next.map((row) => (row === chosen ? change(honest(row)) : honest(row)));
}
