/** `/schedules`: lists the schedules of job_params with their state in Temporal, and pauses, resumes and runs them. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ScheduleNotFoundError } from '@temporalio/client';
import { type Firing, listFirings } from '../../db/schedules/firings.ts';
import type { Db } from '../../db/schema.ts';
import { readRefusals } from '../../db/schedules/baselines.ts';
import { scopeOf } from '../../domain/permission.ts';
import { didYouMean } from '../../domain/closest-match.ts';
import type { Schedule } from '../../job-params/load.ts';
import { isTemporalUnavailable } from '../../temporal/unavailable.ts';
import { clockChanges } from '../../engine/dst-changes.ts';
import { within } from '../../temporal/connect.ts';
import { pastTimes } from '../../engine/previous-firings.ts';
import {
  describeSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleState,
} from '../../temporal/schedules.ts';
import { checkMay } from '../auth/access.ts';
import { principalAndOrigin } from '../auth/request-origin.ts';
import type { ApiDeps, ApiEnv } from '../context.ts';
import { text } from '../http/fields.ts';
import { idempotencyHeaders } from '../http/idempotency.ts';
import { readJob } from '../jobs/jobs.ts';
import { masked } from '../http/mask.ts';
import { QUEUED_JOB } from '../jobs/job-example.ts';
import { jobSchema } from '../jobs/job-schema.ts';
import { doAfterLine } from '../auth/audited-effect.ts';
import { awayProblem, Problem } from '../http/problem.ts';
import { defineRoute, subApp } from '../http/route.ts';
import { type SchedulesJson, schedulesSchema } from './schedule-schema.ts';
import { accepted, SUBMIT_REFUSALS } from '../jobs/start-answer.ts';
import { planScheduled } from '../../job-params/plan-of-changes.ts';
import { planned } from '../jobs/start-request.ts';
import { startRequested } from '../jobs/submit-request.ts';

const SHOWN_FIRINGS = 5;
const SHOWN_PAST = 2;
/** Time for all schedules together; after it the answer lacks the fields that come from Temporal. */
const DESCRIBE_MS = 1_500;

const params = z.object({
  id: text(200).openapi({
    param: { name: 'id', in: 'path' },
    description: 'The id of the schedule: <env>.<target>.<action>.',
    example: 'qas.avo.sync',
  }),
});

const listRoute = defineRoute({
  method: 'get',
  path: '/schedules',
  tag: 'schedules',
  summary: 'List all schedules',
  access: 'read',
  answers: { 200: { description: 'Schedules, by id.', schema: schedulesSchema } },
});

const runRoute = defineRoute({
  method: 'post',
  path: '/schedules/{id}/run',
  tag: 'schedules',
  summary: 'Start the job of a schedule now',
  access: 'operator',
  verb: 'start',
  touches: 'jobs',
  params,
  headers: idempotencyHeaders,
  answers: {
    200: { description: 'A job with the same parameters is active already.', schema: jobSchema },
    202: { description: 'A new job.', schema: jobSchema, example: QUEUED_JOB },
  },
  errors: [noSchedule('qas.av.sync', ['qas.avo.sync']), ...SUBMIT_REFUSALS],
});

const SWITCH_REFUSALS = [
  noSchedule('qas.av.sync', ['qas.avo.sync']),
  scheduleNotMade('qas.avo.sync'),
  awayProblem('temporal'),
];
const switched = z
  .object({
    id: z.string().describe('The schedule.'),
    paused: z.boolean().describe('Whether it is paused now.'),
  })
  .openapi('SwitchedSchedule');

const pauseRoute = defineRoute({
  method: 'post',
  path: '/schedules/{id}/pause',
  tag: 'schedules',
  summary: 'Pause the schedule',
  access: 'operator',
  verb: 'pause',
  touches: 'jobs',
  params,
  json: z
    .strictObject({ note: text(200).optional().describe('Why; shown with the schedule.') })
    .openapi({ example: { note: 'Solr upgrade' } }),
  bodyOptional: true,
  answers: {
    200: {
      description: 'The schedule is paused.',
      schema: switched,
      example: { id: 'qas.avo.sync', paused: true },
    },
  },
  errors: SWITCH_REFUSALS,
});

const resumeRoute = defineRoute({
  method: 'post',
  path: '/schedules/{id}/resume',
  tag: 'schedules',
  summary: 'Resume the schedule',
  access: 'operator',
  verb: 'resume',
  touches: 'jobs',
  params,
  answers: {
    200: {
      description: 'The schedule fires again.',
      schema: switched,
      example: { id: 'qas.avo.sync', paused: false },
    },
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
    checkMay(c, { role: 'operator', of: scopeOf(found) });
    return found;
  };

  app.openapi(listRoute, async (c) => c.json(await listSchedules(c.var.db, deps), 200));

  app.openapi(runRoute, async (c) => {
    const file = find(c.req.valid('param').id);
    checkMay(c, { role: 'operator', of: scopeOf(file) });
    const request = planned(() => planScheduled({ params: deps.params, defaults: deps.config }, file));
    const submitted = await startRequested(c, deps, request);
    const { id } = accepted(submitted);
    const status = submitted.kind === 'deduplicated' ? 200 : 202;
    return c.json(await readJob(c.var.db, deps, id), status, { location: `/jobs/${id}` });
  });

  app.openapi(pauseRoute, async (c) => {
    const { id } = findToSwitch(c, c.req.valid('param').id).schedule;
    const principal = c.var.user.shown;
    const note = masked(c.req.valid('json').note?.trim()) || undefined;
    const said = note === undefined ? '' : `: ${note}`;
    const detail = note === undefined ? {} : { detail: { note } };
    const line = { ...principalAndOrigin(c, note), verb: 'pause', object: `schedule ${id}`, ...detail };
    await doAfterLine(c, line, async () => {
      await pauseSchedule(deps.temporal, id, `paused by ${principal}${said}`).catch(notMade(c.var.db, id));
    });
    return c.json({ id, paused: true });
  });

  app.openapi(resumeRoute, async (c) => {
    const { id } = findToSwitch(c, c.req.valid('param').id).schedule;
    const principal = c.var.user.shown;
    const line = { ...principalAndOrigin(c), verb: 'resume', object: `schedule ${id}` };
    await doAfterLine(c, line, async () => {
      await resumeSchedule(deps.temporal, id, `resumed by ${principal}`).catch(notMade(c.var.db, id));
    });
    return c.json({ id, paused: false });
  });
  return app;
}

/** All declared schedules, each with its state in Temporal and its last firings. */
async function listSchedules(db: Db, deps: ApiDeps): Promise<SchedulesJson> {
  const files = deps.params.schedules.toSorted((a, b) => a.schedule.id.localeCompare(b.schedule.id));
  const ids = files.map((file) => file.schedule.id);
  const firings = await listFirings(db, ids, SHOWN_FIRINGS);
  const refusals = await readRefusals(db);
  const states = await askTemporal(deps, ids);
  return {
    temporal: states ? 'ok' : 'unreachable',
    schedules: files.map(({ schedule, env, target, parameters, mode }) => ({
      id: schedule.id,
      env,
      target,
      action: parameters.action_name,
      mode,
      schedule: schedule.text,
      timezone: schedule.timezone,
      paused: states?.get(schedule.id)?.paused ?? null,
      note: states?.get(schedule.id)?.note ?? null,
      refused: refusals.get(schedule.id) ?? null,
      next: states?.get(schedule.id)?.next.map((time) => time.toISOString()) ?? null,
      previous: pastTimes(schedule, new Date(), SHOWN_PAST).map((time) => time.toISOString()),
      clock_changes: changesOf(schedule, states?.get(schedule.id)),
      left_out: leftOutOf(states?.get(schedule.id)),
      last_firings: firings.filter((firing) => firing.schedule === schedule.id).map(toFiring),
    })),
  };
}

function noSchedule(id: string, known: readonly string[]): Problem {
  return new Problem(
    404,
    'unknown_schedule',
    `there is no schedule '${id.slice(0, 80)}'${didYouMean(id, known)}`,
  );
}

function notMade(db: Db, id: string): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw scheduleNotMade(id, (await readRefusals(db)).get(id));
  };
}

function scheduleNotMade(id: string, refused?: string): Problem {
  const detail =
    refused === undefined
      ? `Temporal does not have ${id} yet; a running worker creates it within seconds`
      : `Temporal rejects ${id}: ${refused}; correct SCHEDULE and TIMEZONE in its params file`;
  return new Problem(503, 'schedule_not_made', detail, { headers: { 'retry-after': '10' } });
}

/** Returns undefined if Temporal is unreachable. */
async function askTemporal(
  { temporal, log }: ApiDeps,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ScheduleState> | undefined> {
  try {
    return await within(DESCRIBE_MS, temporal.connection, () => describeSchedules(temporal, ids, log));
  } catch (error) {
    if (!isTemporalUnavailable(error)) throw error;
    log.warn({ err: error }, 'cannot read schedules from Temporal; answering without their next firings');
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
