/** Follows a growing log as Server-Sent Events. */
import { type JobView, readJobView } from '../../db/views/job-views.ts';
import type { LogChunk } from '../../db/jobs/logs.ts';
import type { Db } from '../../db/schema.ts';
import { isFinal } from '../../domain/status.ts';
import type { EventStream } from './event-streams.ts';
import { logSource, withGaps } from './log-text.ts';

const POLL_MS = 700;

/** An attempt of a step, and the next byte of its log to send. */
export type LogPosition = { readonly step: number; readonly attempt: number; readonly from: number };

/** Sends the log and its growth until the job has ended. @param of.one follows that attempt only */
export async function followLog(of: {
  db: Db;
  id: number;
  one: boolean;
  place: LogPosition | undefined;
  first: (view: JobView) => LogPosition | undefined;
  stream: EventStream;
}): Promise<void> {
  const { db, id, one, stream } = of;
  let { place } = of;
  while (!stream.signal.aborted) {
    // Read before the log, so that everything written before the end is sent before the end event.
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

type At = { view: JobView; one: boolean; place: LogPosition; stream: EventStream };

async function sendNew({ db, view, one, place, stream }: At & { db: Db }): Promise<LogPosition> {
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

/** Sends the note behind the last byte. It counts as one byte, so that a resumed stream does not repeat it. */
async function sendNote({ db, view, one, place, stream }: At & { db: Db }): Promise<void> {
  const ref = { jobId: view.id, step: place.step, attempt: place.attempt };
  const offset = await logSource(view).end(db, ref);
  const text = logSource(view).note(ref, offset);
  if (text !== '' && place.from <= offset)
    await send({ one, place, stream }, { offset, end: offset + 1, text });
}

/** Sends a chunk. The id of the event is the next byte, after step and attempt if all steps are followed. */
async function send(
  { one, place, stream }: Omit<At, 'view'>,
  { offset, end, text }: LogChunk,
): Promise<void> {
  const { step, attempt } = place;
  const id = one ? String(end) : `${step}.${attempt}.${end}`;
  const data = { step, attempt, offset, end, text };
  await stream.send({ event: 'log', id, data });
}

function following(view: JobView, place: LogPosition): LogPosition | undefined {
  const next = view.steps.find(
    (s) => s.step > place.step || (s.step === place.step && s.attempt > place.attempt),
  );
  return next && { step: next.step, attempt: next.attempt, from: 0 };
}

/** Parses the id of an event. */
export function parsePlace(id: string | undefined, place: LogPosition | undefined): LogPosition | undefined {
  const match = /^(?:(\d{1,9})\.(\d{1,9})\.)?(\d{1,15})$/.exec(id ?? '');
  if (!match) return undefined;
  const from = Number(match[3]);
  if (match[1] !== undefined) return { step: Number(match[1]), attempt: Number(match[2]), from };
  return place && { ...place, from };
}
