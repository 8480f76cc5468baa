/** The progress of a load, as the state stores it, so that a later attempt can resume it. Pure. */
import { randomUUID } from 'node:crypto';
import { TooManyRejected } from '../../rejected.ts';
import type { RejectedRecord, SourceRecord } from '../../sources/source.ts';
import type { BeginLoad, Difference, Load, LoadBatch } from '../sink.ts';
import { fenced } from './fence.ts';
import type { Progress } from './state-parts.ts';

/** More than any MAX_REJECTED (src/job/settings.ts) allows. */
const MOST_REJECTED = 1_000;

/** The additions of a batch to the load. */
export type BatchNews = { rejected: readonly RejectedRecord[] } & Pick<
  Progress,
  'written' | 'added' | 'updated'
> & { /** Of a load of everything. */ bytes?: number };

export function newProgress({ mode, since, began }: BeginLoad & { mode: Progress['mode'] }): Progress {
  return {
    id: randomUUID(),
    mode,
    since: since?.toISOString() ?? null,
    began: began.toISOString(),
    cursor: null,
    done: 0,
    written: 0,
    bytes: mode === 'everything' ? 0 : null,
    added: 0,
    updated: 0,
    gone: 0,
    rejected: [],
    rejected_since: null,
    carried: null,
  };
}

export function asLoad({ id, mode, began, cursor, done }: Progress, { resumed }: { resumed: boolean }): Load {
  return { id, mode, began: new Date(began), cursor, done, resumed };
}

/** True if this is the load to resume: of the same mode and `since`, and without deletions, which only their run remembers. */
export function isResumed(load: Progress | null, { resume, mode, since }: BeginLoad): boolean {
  return (
    resume !== null &&
    load?.id === resume &&
    load.mode === mode &&
    load.gone === 0 &&
    load.since === (since?.toISOString() ?? null)
  );
}

/** The load in the state. @throws JobError `fenced` if it is another one */
export function checkLoad<L extends Progress>(
  state: { load: L | null },
  load: Pick<Load, 'id'>,
  alias: string,
): L {
  if (state.load?.id !== load.id) throw fenced(alias, 'another run has replaced this load');
  return state.load;
}

/** The load after a written batch, whose place must be where the load stands. @throws JobError `fenced` */
export function afterBatch<L extends Progress>(
  going: L,
  batch: LoadBatch,
  news: BatchNews,
  alias: string,
): L {
  if (going.cursor !== batch.from) throw fenced(alias, 'another attempt continues this load');
  const gone = batch.gone?.length ?? 0;
  const rejected = [...going.rejected, ...news.rejected];
  if (rejected.length > MOST_REJECTED) throw new TooManyRejected(rejected, MOST_REJECTED);
  return {
    ...going,
    cursor: batch.to,
    done: going.done + batch.records.length + batch.listed.length + gone,
    written: going.written + news.written,
    bytes: going.bytes === null ? null : going.bytes + (news.bytes ?? 0),
    added: going.added + news.added,
    updated: going.updated + news.updated,
    gone: going.gone + gone,
    rejected,
    rejected_since: earliest(going.rejected_since, batch.records, news.rejected),
  };
}

export function bytesOf(records: readonly SourceRecord[]): number {
  return records.reduce((sum, { record }) => sum + Buffer.byteLength(JSON.stringify(record)), 0);
}

/** A resumed load has waited between its attempts, so its time says nothing about the source. */
export function measuredOf(
  { bytes }: Pick<Progress, 'bytes'>,
  { resumed, began }: Pick<Load, 'resumed' | 'began'>,
): Pick<Difference, 'bytes' | 'seconds'> {
  return {
    ...(bytes === null ? {} : { bytes }),
    ...(resumed ? {} : { seconds: Math.round((Date.now() - began.getTime()) / 1000) }),
  };
}

/** The earliest time of a rejected record; null: there is none. */
export function earliest(
  before: string | null,
  records: readonly SourceRecord[],
  rejected: readonly RejectedRecord[],
): string | null {
  const ids = new Set(rejected.map(({ id }) => id));
  const times = records.filter(({ id }) => ids.has(id)).map(({ updated_at: at }) => Date.parse(at));
  if (before !== null) times.push(Date.parse(before));
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}
