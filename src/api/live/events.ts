/** `/events` and `/jobs/:id/events`: sends changes as Server-Sent Events; reconnecting clients miss nothing. */
import { databaseTime } from '../../db/clock.ts';
import { findJobUid } from '../../db/views/job-views.ts';
import type { ApiDeps } from '../context.ts';
import { eventSchema, type EventStream, type EventStreams } from './event-streams.ts';
import { idParam } from '../http/fields.ts';
import { noJob } from '../jobs/jobs.ts';
import { type Backlog, JobFeed } from './job-feed.ts';
import { maintenanceStatus } from '../maintenance.ts';
import { Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { STREAM_REFUSALS } from './stream-slots.ts';

const SNAPSHOTS =
  'A `job` event carries the job as GET /jobs/{id} returns it. Events may repeat or arrive out of order: keep the highest ' +
  '`version`. A stream ends after at most 15 minutes, and within a minute after the caller loses the right to read; ' +
  'reconnect with Last-Event-ID to miss nothing.';

const allRoute = defineRoute({
  method: 'get',
  path: '/events',
  tag: 'events',
  summary: 'Follow all jobs and the maintenance flag',
  description: `${SNAPSHOTS} \`ready\` comes first. \`reset\` means that more than 256 jobs have changed: read the lists again.`,
  access: 'read',
  answers: {
    200: {
      description: 'The event stream.',
      types: { 'text/event-stream': eventSchema(['ready', 'job', 'maintenance', 'reset']) },
      example: { event: 'job', id: '1795309700000', data: JSON.stringify({ id: 7, version: 41 }) },
    },
  },
  errors: STREAM_REFUSALS,
});

const oneRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/events',
  tag: 'events',
  summary: 'Follow one job until it ends',
  description: `${SNAPSHOTS} \`end\` comes last.`,
  access: 'read',
  params: idParam,
  answers: {
    200: {
      description: 'The event stream.',
      types: { 'text/event-stream': eventSchema(['job', 'end']) },
      example: { event: 'job', id: '1795309700000', data: JSON.stringify({ id: 7, version: 41 }) },
    },
  },
  errors: [noJob(7), ...STREAM_REFUSALS],
});

export function events(deps: ApiDeps, streams: EventStreams) {
  const app = subApp();
  const live = new JobFeed(deps);

  app.openapi(allRoute, (c) => {
    const since = lastHeard(c.req.header('last-event-id'));
    return streams.open(c, async (stream) => {
      using backlog = live.listen();
      // A reconnecting client keeps its old id: cut off again before it has caught up, it must catch up from there.
      await stream.send({ event: 'ready', id: String((since ?? databaseTime(deps.db)).getTime()), data: {} });
      if (since) await live.catchUp(backlog, since);
      while (!stream.signal.aborted) {
        await stream.until(backlog.filled());
        await sendAll(deps, stream, backlog);
      }
    });
  });

  app.openapi(oneRoute, async (c) => {
    const { id } = c.req.valid('param');
    if ((await findJobUid(c.var.db, id)) === undefined) throw noJob(id);
    return streams.open(c, async (stream) => {
      using backlog = live.listen(id);
      // Read after listening has started, so that no change in between is missed.
      for (const snapshot of await live.read([id])) backlog.add(snapshot);
      for (let isFinal = false; !isFinal; ) {
        await stream.until(backlog.filled());
        const { jobs } = backlog.take();
        await stream.sendFrames(jobs.map(({ frame }) => frame));
        isFinal = jobs.some((job) => job.isFinal);
      }
      await stream.send({ event: 'end', data: {} });
    });
  });
  return app;
}

async function sendAll({ db }: ApiDeps, stream: EventStream, backlog: Backlog): Promise<void> {
  const { jobs, tooMuch, maintenance } = backlog.take();
  if (tooMuch) await stream.send({ event: 'reset', id: String(databaseTime(db).getTime()), data: {} });
  await stream.sendFrames(jobs.map(({ frame }) => frame));
  if (maintenance) await stream.send({ event: 'maintenance', data: await maintenanceStatus(db) });
}

/** @throws Problem 400 for an id that no event had */
function lastHeard(lastEventId: string | undefined): Date | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  if (!/^\d{1,15}$/.test(lastEventId))
    throw new Problem(400, 'bad_header', 'header: Last-Event-ID: invalid; send the id of an event');
  return new Date(Number(lastEventId));
}
