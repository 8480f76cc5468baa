/** `/jobs/:id/logs`: a step's log, or what an external executor said, from Postgres, as text or, followed, as Server-Sent Events. */
import { z } from '@hono/zod-openapi';
import { type JobView, readJobView } from '../db/job-views.ts';
import { linesEnd, readLines } from '../db/job-log.ts';
import { type LogChunk, logEnd, readLog } from '../db/logs.ts';
import type { Db } from '../db/schema.ts';
import type { StepRef } from '../db/steps.ts';
import { isFinal } from '../domain/status.ts';
import type { ApiDeps } from './context.ts';
import { eventSchema, type EventStream, type EventStreams } from './event-streams.ts';
import { digits, idParam, MOST_INTEGER } from './fields.ts';
import { noJob } from './jobs.ts';
import { maskCredentials } from '../domain/mask.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const POLL_MS = 700;

const offset = digits(0, Number.MAX_SAFE_INTEGER);
const logRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/logs',
  tag: 'jobs',
  summary: "A step's log; with ?follow as it grows",
  description:
    'Without step and attempt: the last one, and when followed all from the last one on. X-Log-End is the offset to go on from. ' +
    'Followed: `log` events {step, attempt, offset, text}, then one `end` event; Last-Event-ID resumes. ' +
    'What an external executor said is a log of step 0, attempt 1: a line of time and message for each.',
  access: 'read',
  params: idParam,
  query: z.strictObject({
    step: digits(0, MOST_INTEGER).optional().describe('From 0.'),
    attempt: digits(1, MOST_INTEGER).optional().describe('From 1.'),
    offset: offset.optional().describe('Bytes; as X-Log-End or an event id gave it.'),
    follow: z
      .enum(['', 'true', 'false'], 'must be true or false')
      .optional()
      .describe('As it grows, as Server-Sent Events.'),
  }),
  answers: {
    200: {
      description: 'Text, or text/event-stream with ?follow.',
      types: {
        'text/plain': z.string().openapi({ example: 'reading 48211 records\n' }),
        'text/event-stream': eventSchema(['log', 'end']),
      },
    },
  },
  errors: [noJob(7), noStep({ id: 7, asked: 'step 1, attempt any' })],
});

/** Where a log's text comes from: chunks by their byte offset. */
type Source = {
  end(db: Db, ref: StepRef): Promise<number>;
  read(db: Db, ref: StepRef, from: number): Promise<LogChunk[]>;
};
const OF_STEPS: Source = { end: async (db, ref) => (await logEnd(db, ref)).offset, read: readLog };
const OF_EXECUTOR: Source = {
  end: (db, { jobId }) => linesEnd(db, jobId),
  read: (db, { jobId }, from) => readLines(db, jobId, from),
};
const sourceOf = (view: JobView | undefined) => (view?.runner === 'external' ? OF_EXECUTOR : OF_STEPS);

type Place = { step: number; attempt: number; from: number };

export function logs({ db }: ApiDeps, streams: EventStreams) {
  const app = subApp();
  app.openapi(logRoute, async (c) => {
    const { id } = c.req.valid('param');
    const query = c.req.valid('query');
    const view = await readJobView(c.var.db, id);
    if (!view) throw noJob(id);
    const place = findPlace(view, query);
    if (query.follow === undefined || query.follow === 'false') {
      c.header('Content-Type', 'text/plain; charset=utf-8');
      c.header('X-Content-Type-Options', 'nosniff');
      if (!place) return c.body('', 200, { 'x-log-end': '0' });
      const ref = { jobId: id, step: place.step, attempt: place.attempt };
      c.header('X-Log-End', String(await sourceOf(view).end(c.var.db, ref)));
      return c.body(await readAll(c.var.db, { id, source: sourceOf(view), ...place }));
    }
    const one = query.step !== undefined;
    const resumed = resumeAt(c.req.header('last-event-id'), place);
    return streams.open(c, (stream) => follow({ db, id, one, stream, place: resumed ?? place }));
  });
  return app;
}

/** The step and attempt asked for, or the last. @throws Problem 404 for one the job has not */
function findPlace(
  view: JobView,
  query: { step?: number | undefined; attempt?: number | undefined; offset?: number | undefined },
): Place | undefined {
  const steps = view.runner === 'external' ? [{ step: 0, attempt: 1 }] : view.steps;
  const fitting = steps.filter(
    (s) =>
      (query.step === undefined || s.step === query.step) &&
      (query.attempt === undefined || s.attempt === query.attempt),
  );
  const last = fitting.at(-1);
  if (last) return { step: last.step, attempt: last.attempt, from: query.offset ?? 0 };
  if (query.step === undefined && query.attempt === undefined) return undefined;
  const asked = `step ${query.step ?? 'any'}, attempt ${query.attempt ?? 'any'}`;
  throw noStep({ id: view.id, asked });
}

function noStep(of: { id: number; asked: string }): Problem {
  return new Problem(404, 'unknown_step', `job ${of.id} has not (yet) had ${of.asked}`);
}

/** An event's id is the offset of its chunk, with step and attempt before it where all steps are followed. */
function resumeAt(lastEventId: string | undefined, place: Place | undefined): Place | undefined {
  const match = /^(?:(\d{1,9})\.(\d{1,9})\.)?(\d{1,15})$/.exec(lastEventId ?? '');
  if (!match) return undefined;
  const from = Number(match[3]) + 1;
  if (match[1] !== undefined) return { step: Number(match[1]), attempt: Number(match[2]), from };
  return place && { ...place, from };
}

async function readAll(db: Db, of: Place & { id: number; source: Source }): Promise<string> {
  let text = '';
  let from = of.from;
  for (;;) {
    const chunks = await of.source.read(db, { jobId: of.id, step: of.step, attempt: of.attempt }, from);
    const last = chunks.at(-1);
    if (!last) return text;
    text += chunks.map((chunk) => maskCredentials(chunk.text)).join('');
    from = last.byte_offset + 1;
  }
}

async function follow(of: {
  db: Db;
  id: number;
  one: boolean;
  place: Place | undefined;
  stream: EventStream;
}): Promise<void> {
  const { db, id, one, stream } = of;
  let { place } = of;
  while (!stream.signal.aborted) {
    // Read before the log: what was written before the end is sent before it is told.
    const view = await readJobView(db, id);
    place ??= view && findPlace(view, {});
    for (;;) {
      const { sent, at }: { sent: number; at: Place | undefined } = await sendNew({
        db,
        source: sourceOf(view),
        id,
        one,
        place,
        stream,
      });
      place = at;
      if (sent > 0) continue;
      const next = one || !place ? undefined : following(view, place);
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

async function sendNew(of: {
  db: Db;
  source: Source;
  id: number;
  one: boolean;
  place: Place | undefined;
  stream: EventStream;
}): Promise<{ sent: number; at: Place | undefined }> {
  const { place, stream } = of;
  if (!place) return { sent: 0, at: place };
  const { step, attempt } = place;
  const chunks = await of.source.read(of.db, { jobId: of.id, step, attempt }, place.from);
  let at = place;
  for (const { byte_offset, text } of chunks) {
    const id = of.one ? String(byte_offset) : `${step}.${attempt}.${byte_offset}`;
    await stream.send({
      event: 'log',
      id,
      data: { step, attempt, offset: byte_offset, text: maskCredentials(text) },
    });
    at = { ...place, from: byte_offset + 1 };
  }
  return { sent: chunks.length, at };
}

function following(view: JobView | undefined, place: Place): Place | undefined {
  const next = view?.steps.find(
    (s) => s.step > place.step || (s.step === place.step && s.attempt > place.attempt),
  );
  return next && { step: next.step, attempt: next.attempt, from: 0 };
}
