/** `/jobs/:id/logs`: a step's log, or what an external executor said, from Postgres: as text, followed, or as a file. */
import { z } from '@hono/zod-openapi';
import { type JobView, readJobView } from '../db/job-views.ts';
import type { Db } from '../db/schema.ts';
import type { ApiDeps } from './context.ts';
import { eventSchema, type EventStreams } from './event-streams.ts';
import { digits, idParam, MOST_INTEGER } from './fields.ts';
import { noJob } from './jobs.ts';
import { followLog, type LogPlace, parsePlace } from './log-stream.ts';
import { logSource, textOf } from './log-text.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const offset = digits(0, Number.MAX_SAFE_INTEGER);
const flag = z.enum(['', 'true', 'false'], 'must be true or false').optional();
const isOn = (value: z.infer<typeof flag>) => value !== undefined && value !== 'false';

const logRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/logs',
  tag: 'jobs',
  summary: "A step's log; with ?follow as it grows, with ?download as a file",
  description:
    'Without step and attempt: the last one, when followed all from the last one on, as a file all of them one after the ' +
    'other. X-Log-End is the offset to go on from. Followed: `log` events {step, attempt, offset, end, text}, then one `end` ' +
    'event; Last-Event-ID resumes. Of a log longer than LOG_LIMIT the beginning and the end are there, with a line that ' +
    'says how many bytes are left out between them. What an external executor said is a log of step 0, attempt 1: a line ' +
    'of time and message for each.',
  access: 'read',
  params: idParam,
  query: z
    .strictObject({
      step: digits(0, MOST_INTEGER).optional().describe('From 0.'),
      attempt: digits(1, MOST_INTEGER).optional().describe('From 1.'),
      offset: offset.optional().describe('Bytes; as X-Log-End or an event id gave it.'),
      follow: flag.describe('As it grows, as Server-Sent Events.'),
      download: flag.describe('To be saved: with a Content-Disposition that names the file.'),
    })
    .refine(({ follow, download }) => !(isOn(follow) && isOn(download)), {
      path: ['download'],
      message: 'goes without follow',
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

type Query = {
  readonly step?: number | undefined;
  readonly attempt?: number | undefined;
  readonly offset?: number | undefined;
};

export function logs({ db }: ApiDeps, streams: EventStreams) {
  const app = subApp();
  app.openapi(logRoute, async (c) => {
    const { id } = c.req.valid('param');
    const query = c.req.valid('query');
    const view = await readJobView(c.var.db, id);
    if (!view) throw noJob(id);
    const fitting = findPlaces(view, query);
    const place = fitting.at(-1);
    if (isOn(query.follow)) {
      const one = query.step !== undefined;
      const resumed = parsePlace(c.req.header('last-event-id'), place) ?? place;
      const first = (of: JobView) => findPlaces(of, {}).at(-1);
      return streams.open(c, (stream) => followLog({ db, id, one, stream, place: resumed, first }));
    }
    c.header('Content-Type', 'text/plain; charset=utf-8');
    c.header('X-Content-Type-Options', 'nosniff');
    const end = place ? await logSource(view).end(c.var.db, { jobId: id, ...place }) : 0;
    c.header('X-Log-End', String(end));
    if (!isOn(query.download)) return c.body(await begun(textOfAll(db, view, fitting.slice(-1))));
    c.header('Content-Disposition', `attachment; filename="${fileName(view, query)}"`);
    return c.body(await begun(textOfAll(db, view, fitting)));
  });
  return app;
}

/** The attempts asked for. @throws Problem 404 for one the job has not */
function findPlaces(view: JobView, query: Query): LogPlace[] {
  const steps = view.runner === 'external' ? [{ step: 0, attempt: 1 }] : view.steps;
  const fitting = steps.filter(
    (s) =>
      (query.step === undefined || s.step === query.step) &&
      (query.attempt === undefined || s.attempt === query.attempt),
  );
  if (fitting.length === 0 && (query.step !== undefined || query.attempt !== undefined)) {
    const asked = `step ${query.step ?? 'any'}, attempt ${query.attempt ?? 'any'}`;
    throw noStep({ id: view.id, asked });
  }
  return fitting.map(({ step, attempt }) => ({ step, attempt, from: query.offset ?? 0 }));
}

function noStep(of: { id: number; asked: string }): Problem {
  return new Problem(404, 'unknown_step', `job ${of.id} has not (yet) had ${of.asked}`);
}

/** One log after the other, each under a line of its own where there are several. */
async function* textOfAll(db: Db, view: JobView, places: readonly LogPlace[]): AsyncGenerator<string> {
  const source = logSource(view);
  for (const { step, attempt, from } of places) {
    const action = view.steps_spec[step]?.action ?? '';
    if (places.length > 1) yield `===== step ${step + 1}: ${action}, attempt ${attempt} =====\n`;
    yield* textOf(db, { source, ref: { jobId: view.id, step, attempt }, from });
  }
}

/** A body of which no more is read than is taken; its first piece is there, so that a fault can still be told. */
async function begun(pieces: AsyncGenerator<string>): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder();
  const first = await pieces.next();
  async function* bytes() {
    if (first.done !== true) yield encoder.encode(first.value);
    for await (const piece of pieces) yield encoder.encode(piece);
  }
  return ReadableStream.from(bytes());
}

function fileName(view: JobView, { step, attempt }: Query): string {
  const one = view.steps.findLast((s) => s.step === step && (attempt === undefined || s.attempt === attempt));
  return `${step === undefined || !one ? `job-${view.id}` : one.name}.log`;
}
