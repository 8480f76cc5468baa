/** `/schedules`: what job_params plans, what Temporal says of it, what became of it, and running one now. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ScheduleNotFoundError } from '@temporalio/client';
import { audit } from '../db/audit.ts';
import { type Firing, listFirings } from '../db/firings.ts';
import { touchedBy } from '../domain/grant.ts';
import { nearest } from '../domain/near.ts';
import type { Schedule } from '../job-params.ts';
import { isTemporalAway } from '../temporal/away.ts';
import { clockChanges } from '../temporal/clock-changes.ts';
import { within } from '../temporal/connect.ts';
import { pastTimes } from '../temporal/past-times.ts';
import {
  describeSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleState,
} from '../temporal/schedules.ts';
import { checkMay } from './access.ts';
import { callerOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './context.ts';
import { text } from './fields.ts';
import { idempotencyHeaders } from './idempotency.ts';
import { readJob } from './jobs.ts';
import { masked } from './mask.ts';
import { QUEUED_JOB } from './job-example.ts';
import { jobSchema } from './job-schema.ts';
import { awayProblem, Problem } from './problem.ts';
import { defineRoute, subApp } from './route.ts';
import { type SchedulesJson, schedulesSchema } from './schedule-schema.ts';
import { accepted, SUBMIT_REFUSALS } from './start-answer.ts';
import { requestOfFile } from './start-request.ts';
import { submitRequest } from './submit-request.ts';

const SHOWN_FIRINGS = 5;
const SHOWN_PAST = 2;
/** For all schedules together; later than that the answer goes without Temporal's part. */
const DESCRIBE_MS = 1_500;

const params = z.object({
  id: text(200).openapi({ param: { name: 'id', in: 'path' }, example: 'qas.avo.sync' }),
});

const listRoute = defineRoute({
  method: 'get',
  path: '/schedules',
  tag: 'schedules',
  summary: 'All schedules',
  access: 'read',
  answers: { 200: { description: 'By id.', schema: schedulesSchema } },
});

const runRoute = defineRoute({
  method: 'post',
  path: '/schedules/{id}/run',
  tag: 'schedules',
  summary: 'Start its job now',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params,
  headers: idempotencyHeaders,
  answers: {
    200: { description: 'The same job is active already.', schema: jobSchema },
    202: { description: 'A new job.', schema: jobSchema, example: QUEUED_JOB },
  },
  errors: [noSchedule('qas.av.sync', ['qas.avo.sync']), ...SUBMIT_REFUSALS],
});

const SWITCH_REFUSALS = [
  noSchedule('qas.av.sync', ['qas.avo.sync']),
  scheduleNotMade('qas.avo.sync'),
  awayProblem('temporal'),
];
const switched = z.object({ id: z.string(), paused: z.boolean() });

const pauseRoute = defineRoute({
  method: 'post',
  path: '/schedules/{id}/pause',
  tag: 'schedules',
  summary: 'Let it not fire',
  access: 'operator',
  verb: 'pause',
  touches: 'jobs',
  params,
  json: z
    .strictObject({ note: text(200).optional().describe('Why; shown with the schedule.') })
    .openapi({ example: { note: 'Solr upgrade' } }),
  bodyOptional: true,
  answers: {
    200: { description: 'Done.', schema: switched, example: { id: 'qas.avo.sync', paused: true } },
  },
  errors: SWITCH_REFUSALS,
});

const resumeRoute = defineRoute({
  method: 'post',
  path: '/schedules/{id}/resume',
  tag: 'schedules',
  summary: 'Let it fire again',
  access: 'operator',
  verb: 'resume',
  touches: 'jobs',
  params,
  answers: {
    200: { description: 'Done.', schema: switched, example: { id: 'qas.avo.sync', paused: false } },
  },
  errors: SWITCH_REFUSALS,
});

export function schedules(deps: ApiDeps) {
  const app = subApp();
  const find = (id: string) => {
    const found = deps.params.schedules.find((file) => file.schedule.id === id);
    if (found) return found;
    throw noSchedule(
      id,
      deps.params.schedules.map((file) => file.schedule.id),
    );
  };

  const findToSwitch = (c: Context<ApiEnv>, id: string) => {
    const found = find(id);
    checkMay(c, 'operator', touchedBy(found));
    return found;
  };

  app.openapi(listRoute, async (c) => {
    const files = deps.params.schedules.toSorted((a, b) => a.schedule.id.localeCompare(b.schedule.id));
    const ids = files.map((file) => file.schedule.id);
    const firings = await listFirings(c.var.db, ids, SHOWN_FIRINGS);
    const states = await askTemporal(deps, ids);
    const answer: SchedulesJson = {
      temporal: states ? 'ok' : 'unreachable',
      schedules: files.map(({ schedule, env, target, parameters }) => ({
        id: schedule.id,
        env,
        target,
        action: parameters.action_name,
        schedule: schedule.text,
        timezone: schedule.timezone,
        paused: states?.get(schedule.id)?.paused ?? null,
        note: states?.get(schedule.id)?.note ?? null,
        next: states?.get(schedule.id)?.next.map((time) => time.toISOString()) ?? null,
        previous: pastTimes(schedule, new Date(), SHOWN_PAST).map((time) => time.toISOString()),
        clock_changes: changesOf(schedule, states?.get(schedule.id)),
        left_out: leftOutOf(states?.get(schedule.id)),
        last_firings: firings.filter((firing) => firing.schedule === schedule.id).map(toFiring),
      })),
    };
    return c.json(answer);
  });

  app.openapi(runRoute, async (c) => {
    const request = requestOfFile(deps, find(c.req.valid('param').id));
    const submitted = await submitRequest(c, deps, request);
    const { id } = accepted(submitted);
    const status = submitted.kind === 'deduplicated' ? 200 : 202;
    return c.json(await readJob(c.var.db, deps, id), status, { location: `/jobs/${id}` });
  });

  app.openapi(pauseRoute, async (c) => {
    const { id } = findToSwitch(c, c.req.valid('param').id).schedule;
    const principal = c.var.user.shown;
    const note = masked(c.req.valid('json').note?.trim()) || undefined;
    const said = note === undefined ? '' : `: ${note}`;
    await pauseSchedule(deps.temporal, id, `paused by ${principal}${said}`).catch(notMade(id));
    const detail = note === undefined ? {} : { detail: { note } };
    await audit(c.var.db, { ...callerOf(c, note), verb: 'pause', object: `schedule ${id}`, ...detail });
    return c.json({ id, paused: true });
  });

  app.openapi(resumeRoute, async (c) => {
    const { id } = findToSwitch(c, c.req.valid('param').id).schedule;
    const principal = c.var.user.shown;
    await resumeSchedule(deps.temporal, id, `resumed by ${principal}`).catch(notMade(id));
    await audit(c.var.db, { ...callerOf(c), verb: 'resume', object: `schedule ${id}` });
    return c.json({ id, paused: false });
  });
  return app;
}

function noSchedule(id: string, known: readonly string[]): Problem {
  const near = nearest(id, known);
  const meant = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  return new Problem(404, 'unknown_schedule', `there is no schedule '${id.slice(0, 80)}'${meant}`);
}

function notMade(id: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw scheduleNotMade(id);
  };
}

function scheduleNotMade(id: string): Problem {
  const detail = `Temporal does not have ${id} yet; a worker makes it at its start`;
  return new Problem(503, 'schedule_not_made', detail, { headers: { 'retry-after': '10' } });
}

/** Undefined when Temporal is away. */
async function askTemporal(
  { temporal, log }: ApiDeps,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ScheduleState> | undefined> {
  try {
    return await within(DESCRIBE_MS, temporal.connection, () => describeSchedules(temporal, ids));
  } catch (error) {
    if (!isTemporalAway(error)) throw error;
    log.warn({ err: error }, 'Temporal cannot say when schedules fire next');
    return undefined;
  }
}

function changesOf({ spec, timezone }: Schedule, state: ScheduleState | undefined) {
  if (!state) return null;
  if (spec.kind === 'every') return [];
  return clockChanges({ cron: spec.cron, timezone }, new Date(), state.next).map((change) => ({
    local_time: change.localTime,
    kind: change.kind,
    fires: change.fires.map((time) => time.toISOString()),
  }));
}

function leftOutOf(state: ScheduleState | undefined) {
  return state ? { too_late: state.leftOut.tooLate, overlapping: state.leftOut.overlapping } : null;
}

function toFiring({ nominal_time, outcome, job_id, detail }: Firing) {
  return { nominal_time: nominal_time.toISOString(), outcome, job_id, detail };
}
