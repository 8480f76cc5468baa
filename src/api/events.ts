/** `/events` and `/jobs/:id/events`: what changes, as Server-Sent Events, without a gap for who comes back. */
import { databaseTime } from '../db/clock.ts';
import { findJobUid } from '../db/job-views.ts';
import type { ApiDeps } from './context.ts';
import { eventSchema, type EventStream, type EventStreams, tooManyStreams } from './event-streams.ts';
import { idParam } from './fields.ts';
import { noJob } from './jobs.ts';
import { type Backlog, LiveJobs } from './live-jobs.ts';
import { maintenanceStatus } from './maintenance.ts';
import { Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';

const SNAPSHOTS =
  'A `job` event is the job as GET /jobs/{id} shows it. Some come twice or late: keep the highest `version`. ' +
  'A stream ends after 15 minutes at most; come back with Last-Event-ID and nothing is missed.';

const allRoute = defineRoute({
  method: 'get',
  path: '/events',
  tag: 'events',
  summary: 'Every job as it changes, and the maintenance flag',
  description: `${SNAPSHOTS} \`ready\` comes first; \`reset\` says that more has changed than is kept (256 jobs): read the lists anew.`,
  access: 'read',
  answers: {
    200: {
      description: 'The stream.',
      types: { 'text/event-stream': eventSchema(['ready', 'job', 'maintenance', 'reset']) },
      example: { event: 'job', id: '1795309700000', data: JSON.stringify({ id: 7, version: 41 }) },
    },
  },
  errors: [tooManyStreams(200)],
});

const oneRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/events',
  tag: 'events',
  summary: 'One job, as it is and as it changes, until it is final',
  description: `${SNAPSHOTS} \`end\` comes last.`,
  access: 'read',
  params: idParam,
  answers: {
    200: {
      description: 'The stream.',
      types: { 'text/event-stream': eventSchema(['job', 'end']) },
      example: { event: 'job', id: '1795309700000', data: JSON.stringify({ id: 7, version: 41 }) },
    },
  },
  errors: [noJob(7), tooManyStreams(200)],
});

export function events(deps: ApiDeps, streams: EventStreams) {
  const app = subApp();
  const live = new LiveJobs(deps);

  app.openapi(allRoute, (c) => {
    const since = lastHeard(c.req.header('last-event-id'));
    return streams.open(c, async (stream) => {
      using backlog = live.listen();
      // Not the time of now for who comes back: cut before it is told what it missed, it must ask for that again.
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
      // Read after it listens: a change in between is heard, not missed.
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

/** @throws Problem 400 for an id that no event of ours had */
function lastHeard(lastEventId: string | undefined): Date | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  if (!/^\d{1,15}$/.test(lastEventId))
    throw new Problem(400, 'bad_header', 'header: Last-Event-ID: is not one that an event had');
  return new Date(Number(lastEventId));
}
