/** What schedules look like in an answer. */
import { z } from '@hono/zod-openapi';
import { isoTime } from './fields.ts';

const scheduleSchema = z
  .object({
    id: z.string(),
    env: z.string(),
    target: z.string(),
    action: z.string(),
    schedule: z.string(),
    timezone: z.string(),
    paused: z.boolean().nullable(),
    note: z.string().nullable(),
    next: z.array(isoTime).nullable().describe('As Temporal has them; null when it is not known.'),
    previous: z
      .array(isoTime)
      .describe('When it should have fired last, newest first, whatever became of that.'),
    clock_changes: z
      .array(
        z.object({
          local_time: z.string().describe('By the clocks of the zone.'),
          kind: z
            .enum(['gap', 'overlap'])
            .describe('gap: it does not come that day; overlap: it comes twice.'),
          fires: z.array(isoTime).describe('When it fires for that time after all.'),
        }),
      )
      .nullable()
      .describe('Times up to the last of `next` that a change of the clocks leaves out or doubles.'),
    left_out: z
      .object({
        too_late: z.int().describe('Temporal was away for longer than the ten minutes that are caught up.'),
        overlapping: z.int().describe('Held up by an outage together with an earlier one, which was fired.'),
      })
      .nullable()
      .describe('Firings that Temporal has left out since it has the schedule; null when it is not known.'),
    last_firings: z.array(
      z.object({
        nominal_time: isoTime,
        outcome: z.enum(['started', 'deduplicated', 'skipped', 'superseded']),
        job_id: z.int().nullable(),
        detail: z.string().nullable(),
      }),
    ),
  })
  .openapi('Schedule');
export const schedulesSchema = z
  .object({ temporal: z.enum(['ok', 'unreachable']), schedules: z.array(scheduleSchema) })
  .openapi('Schedules', {
    example: {
      temporal: 'ok',
      schedules: [
        {
          id: 'qas.avo.sync',
          env: 'qas',
          target: 'avo',
          action: 'sync',
          schedule: '0 1 * * *',
          timezone: 'Europe/Brussels',
          paused: false,
          note: null,
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
