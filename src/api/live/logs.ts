/** `/jobs/:id/logs`: the log of a step or of an external executor, as text, as a stream or as a file. */
import { z } from '@hono/zod-openapi';
import { type JobView, readJobView } from '../../db/views/job-views.ts';
import type { Db } from '../../db/schema.ts';
import type { ApiDeps } from '../context.ts';
import { eventSchema, type EventStreams } from './event-streams.ts';
import { digits, idParam, MOST_INTEGER } from '../http/fields.ts';
import { noJob } from '../jobs/jobs.ts';
import { followLog, type LogPosition, parsePlace } from './log-stream.ts';
import { logSource, textOf } from './log-text.ts';
import { Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { STREAM_REFUSALS } from './stream-slots.ts';

const offset = digits(0, Number.MAX_SAFE_INTEGER);
const flag = z.enum(['', 'true', 'false'], 'must be true or false').optional();
const isOn = (value: z.infer<typeof flag>) => value !== undefined && value !== 'false';

const logRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/logs',
  tag: 'jobs',
  summary: 'Read, follow or download the log of a job',
  description:
    'Without `step` and `attempt`: the newest attempt; with `follow` that attempt and all later ones; with `download` all ' +
    'attempts in order. The header X-Log-End holds the offset of the next byte. `follow` sends `log` events {step, attempt, ' +
    'offset, end, text} and one `end` event; Last-Event-ID resumes. Of a log longer than LOG_LIMIT the beginning and the ' +
    'end are kept, with a line that counts the bytes omitted between them. Updates of an external executor are the log of ' +
    'step 0, attempt 1: one line of time and message for each.',
  access: 'read',
  params: idParam,
  query: z
    .strictObject({
      step: digits(0, MOST_INTEGER).optional().describe('The step, from 0.'),
      attempt: digits(1, MOST_INTEGER).optional().describe('The attempt of the step, from 1.'),
      offset: offset.optional().describe('Byte to start from; a value of X-Log-End or of an event id.'),
      follow: flag.describe('Send Server-Sent Events while the log grows.'),
      download: flag.describe('Send the text as a file (Content-Disposition).'),
    })
    .refine(({ follow, download }) => !(isOn(follow) && isOn(download)), {
      path: ['download'],
      message: 'cannot be combined with follow',
    }),
  answers: {
    200: {
      description: 'Text, or Server-Sent Events with `follow`.',
      types: {
        'text/plain': z.string().openapi({ example: 'reading 48211 records\n' }),
        'text/event-stream': eventSchema(['log', 'end']),
      },
    },
  },
  errors: [noJob(7), noStep({ id: 7, asked: 'step 1, attempt any' }), ...STREAM_REFUSALS],
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
    if (isOn(query.download))
      c.header('Content-Disposition', `attachment; filename="${fileName(view, query)}"`);
    // The body of a HEAD is never read, so its generator would stay open.
    if (c.req.method === 'HEAD') return c.body(null);
    return c.body(await begun(textOfAll(db, view, isOn(query.download) ? fitting : fitting.slice(-1))));
  });
  return app;
}

/** Finds the requested attempts. @throws Problem 404 if the job has none of them */
function findPlaces(view: JobView, query: Query): LogPosition[] {
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
  return new Problem(404, 'unknown_step', `job ${of.id} has no ${of.asked} yet`);
}

/** Yields one log after the other, each under a headline if there are several. */
async function* textOfAll(db: Db, view: JobView, places: readonly LogPosition[]): AsyncGenerator<string> {
  const source = logSource(view);
  for (const { step, attempt, from } of places) {
    const action = view.steps_spec[step]?.action ?? '';
    if (places.length > 1) yield `===== step ${step + 1}: ${action}, attempt ${attempt} =====\n`;
    yield* textOf(db, { source, ref: { jobId: view.id, step, attempt }, from });
  }
}

/** A body that is read only as fast as it is taken. Its first piece is read now, so that an error can still become a problem. */
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
