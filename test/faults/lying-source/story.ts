/** The source before a lie, and the truth at the time of the lie: some records new, some changed, some gone. */

import type { Random } from '../random.ts';
import type { Row } from './model.ts';

/** Part of every record, so it must not appear in any log, report or error. */
export const CANARY = 'geheim-4711-canary';

/** Long before any watermark. */
export const OLD = '2025-01-01T00:00:00.000Z';
const OLD_DAY = OLD.slice(0, 10);
export const isOld = ({ updated_at: at }: Row): boolean => at.startsWith(OLD_DAY);

export type Story = {
  readonly before: readonly Row[];
  /** In byte order, like `before`. */
  readonly next: readonly Row[];
  /** The records of `next` that a delta must see. */
  readonly recent: readonly Row[];
  readonly removed: readonly Row[];
  /** Chosen for this case: the page, line or place of a lie. */
  readonly random: Random;
};

export function makeStory(random: Random): Story {
  const count = random.integer(110, 170);
  const now = new Date(Date.now() - 60_000).toISOString();
  const before = Array.from({ length: count }, (_, at) =>
    rowOf(idOf(at * 2), secondsAfter(OLD, at), `first ${at}`),
  );
  const places = random.shuffled([...before.keys()]);
  const gone = new Set(places.slice(0, 3));
  const changed = new Set(places.slice(3, 17));
  const added = random
    .shuffled([...before.keys()])
    .slice(0, 12)
    .map((at) => rowOf(idOf(at * 2 + 1), now, `added ${at}`));
  const stays = before.flatMap((row, at) => {
    if (gone.has(at)) return [];
    return [changed.has(at) ? rowOf(row.id, now, `second ${at}`) : row];
  });
  const next = inOrder([...stays, ...added]);
  return {
    before,
    next,
    recent: next.filter(({ updated_at: at }) => at === now),
    removed: before.filter((_, at) => gone.has(at)),
    random,
  };
}

/** One of them is written half an hour late: a delta sees it if its watermark is early enough. */
export function lateChange(rows: readonly Row[], at: number): { rows: Row[]; late: Row } {
  const halfAnHour = new Date(Date.now() - 30 * 60_000).toISOString();
  const late = rowOf(rows[at % rows.length]?.id ?? '', halfAnHour, 'late');
  return { rows: rows.map((row) => (row.id === late.id ? late : row)), late };
}

export function rowOf(id: string, updated_at: string, name: string): Row {
  return { id, updated_at, json: JSON.stringify({ name: `${name} é ${CANARY}` }) };
}

export function inOrder(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => byBytes(a.id, b.id));
}

export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Not all at one time of day, which would look like a source of whole days. */
function secondsAfter(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString();
}

function idOf(at: number): string {
  return `r${String(at).padStart(5, '0')}`;
}
