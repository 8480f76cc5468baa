/** A log followed as it grows, as Server-Sent Events. */
import { type JobView, readJobView } from '../db/job-views.ts';
import type { LogChunk } from '../db/logs.ts';
import type { Db } from '../db/schema.ts';
import { isFinal } from '../domain/status.ts';
import type { EventStream } from './event-streams.ts';
import { logSource, withGaps } from './log-text.ts';

const POLL_MS = 700;

/** An attempt of a step, and the next byte of its log that is wanted. */
export type LogPlace = { readonly step: number; readonly attempt: number; readonly from: number };

/** Sends what there is and what comes, until the job is final. @param of.one follows that attempt alone */
export async function followLog(of: {
  db: Db;
  id: number;
  one: boolean;
  place: LogPlace | undefined;
  first: (view: JobView) => LogPlace | undefined;
  stream: EventStream;
}): Promise<void> {
  const { db, id, one, stream } = of;
  let { place } = of;
  while (!stream.signal.aborted) {
    // Read before the log: what was written before the end is sent before it is told.
    const view = await readJobView(db, id);
    place ??= view && of.first(view);
    while (view && place) {
      place = await sendNew({ db, view, one, place, stream });
      const next = one ? undefined : following(view, place);
      if (next || isFinal(view.status)) await sendNote({ db, view, one, place, stream });
      if (!next) break;
      place = next;
    }
    if (!view || isFinal(view.status)) {
      await stream.send({ event: 'end', data: { status: view?.status ?? null } });
      return;
    }
    await stream.pause(POLL_MS);
  }
}

type At = { view: JobView; one: boolean; place: LogPlace; stream: EventStream };

async function sendNew({ db, view, one, place, stream }: At & { db: Db }): Promise<LogPlace> {
  const source = logSource(view);
  const { step, attempt } = place;
  for (let at = place.from; ; ) {
    const chunks = await source.read(db, { jobId: view.id, step, attempt }, at);
    const last = chunks.at(-1);
    if (!last) return { ...place, from: at };
    for (const chunk of withGaps(chunks, at)) await send({ one, place, stream }, chunk);
    at = last.end;
  }
}

/** What there is to say behind the last byte. It counts as one byte, so that who goes on behind it is not told again. */
async function sendNote({ db, view, one, place, stream }: At & { db: Db }): Promise<void> {
  const ref = { jobId: view.id, step: place.step, attempt: place.attempt };
  const offset = await logSource(view).end(db, ref);
  const text = logSource(view).note(ref, offset);
  if (text !== '' && place.from <= offset)
    await send({ one, place, stream }, { offset, end: offset + 1, text });
}

/** An event's id is the byte to go on from, with step and attempt before it where all steps are followed. */
async function send(
  { one, place, stream }: Omit<At, 'view'>,
  { offset, end, text }: LogChunk,
): Promise<void> {
  const { step, attempt } = place;
  const id = one ? String(end) : `${step}.${attempt}.${end}`;
  const data = { step, attempt, offset, end, text };
  await stream.send({ event: 'log', id, data });
}

function following(view: JobView, place: LogPlace): LogPlace | undefined {
  const next = view.steps.find(
    (s) => s.step > place.step || (s.step === place.step && s.attempt > place.attempt),
  );
  return next && { step: next.step, attempt: next.attempt, from: 0 };
}

/** The place that an event's id names. */
export function parsePlace(id: string | undefined, place: LogPlace | undefined): LogPlace | undefined {
  const match = /^(?:(\d{1,9})\.(\d{1,9})\.)?(\d{1,15})$/.exec(id ?? '');
  if (!match) return undefined;
  const from = Number(match[3]);
  if (match[1] !== undefined) return { step: Number(match[1]), attempt: Number(match[2]), from };
  return place && { ...place, from };
}
