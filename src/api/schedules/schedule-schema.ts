/** The schema of schedules in an answer. */
import { z } from '@hono/zod-openapi';
import { isoTime } from '../http/fields.ts';

const scheduleSchema = z
  .object({
    id: z.string().describe('The id: <env>.<target>.<action>.'),
    env: z.string().describe('The environment of its jobs.'),
    target: z.string().describe('The target of its jobs.'),
    action: z.string().describe('The ACTION_NAME of its params file.'),
    mode: z.enum(['apply', 'plan']).describe('MODE: it starts the action, or a plan of it.'),
    schedule: z
      .string()
      .describe(
        'SCHEDULE of its params file. In a cron expression both day of month and day of week must match.',
      ),
    timezone: z.string().describe('TIMEZONE of its params file.'),
    paused: z.boolean().nullable().describe('Whether it is paused; null if Temporal is unreachable.'),
    note: z.string().nullable().describe('Who paused or resumed it and why; null if unknown.'),
    refused: z
      .string()
      .nullable()
      .describe(
        "Temporal's reason for rejecting the schedule, which then does not fire. Null if Temporal accepts it.",
      ),
    next: z.array(isoTime).nullable().describe('The next firings; null if Temporal is unreachable.'),
    previous: z
      .array(isoTime)
      .describe('When it should have fired last, newest first, whether it did or not.'),
    clock_changes: z
      .array(
        z.object({
          local_time: z.string().describe('The local time in the time zone.'),
          kind: z
            .enum(['gap', 'overlap'])
            .describe('`gap`: the local time does not exist that day. `overlap`: it exists twice.'),
          fires: z.array(isoTime).describe('When the schedule fires instead.'),
        }),
      )
      .nullable()
      .describe(
        'Local times up to the last of `next` that a daylight-saving change skips or repeats; null if unknown.',
      ),
    left_out: z
      .object({
        too_late: z
          .int()
          .describe('Missed because Temporal was down for longer than the ten minutes that it catches up.'),
        overlapping: z
          .int()
          .describe('Dropped because an earlier firing was delayed by the same outage and fired instead.'),
      })
      .nullable()
      .describe('Firings that Temporal has dropped since the schedule was created; null if unknown.'),
    last_firings: z
      .array(
        z
          .object({
            nominal_time: isoTime.describe('The time it fired for.'),
            outcome: z
              .enum(['started', 'deduplicated', 'skipped', 'superseded', 'queued'])
              .describe('How it ended.'),
            job_id: z.int().nullable().describe('The job that it started or found; null if none.'),
            detail: z.string().nullable().describe('Why it started no job; null if it did.'),
          })
          .openapi('ScheduleFiring'),
      )
      .describe('The last five firings, newest first.'),
  })
  .openapi('Schedule');
export const schedulesSchema = z
  .object({
    temporal: z
      .enum(['ok', 'unreachable'])
      .describe('`unreachable`: the fields that come from Temporal are null.'),
    schedules: z.array(scheduleSchema).describe('By id.'),
  })
  .openapi('Schedules', {
    example: {
      temporal: 'ok',
      schedules: [
        {
          id: 'qas.avo.sync',
          env: 'qas',
          target: 'avo',
          action: 'sync',
          mode: 'apply',
          schedule: '0 1 * * *',
          timezone: 'Europe/Brussels',
          paused: false,
          note: null,
          refused: null,
          next: ['2026-11-23T00:00:00.000Z'],
          previous: ['2026-11-22T00:00:00.000Z', '2026-11-21T00:00:00.000Z'],
          clock_changes: [],
          left_out: { too_late: 0, overlapping: 2 },
          last_firings: [
            { nominal_time: '2026-11-22T00:00:00.000Z', outcome: 'started', job_id: 7, detail: null },
          ],
        },
      ],
    },
  });

export type SchedulesJson = z.infer<typeof schedulesSchema>;
