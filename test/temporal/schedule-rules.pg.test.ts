/** Compares our rules for cron expressions and zones with Temporal's: same refusals, same firing times. */
import { randomUUID } from 'node:crypto';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firing, nextTime } from '../../src/domain/firing-times.ts';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.ts';
import { ACCEPTED_CRONS, ACCEPTED_ZONES, REFUSED_CRONS, REFUSED_ZONES } from '../support/crons.ts';
import { createNamespace } from '../support/temporal.ts';

let temporal: Temporal;
beforeAll(async () => {
  temporal = connectTemporal(await createNamespace());
});
afterAll(() => temporal.close());

async function create(cron: string, timezone: string): Promise<string> {
  const scheduleId = randomUUID();
  await temporal.client.schedule.create({
    scheduleId,
    spec: { cronExpressions: [cron], timezone },
    action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none', args: [] },
    state: { paused: true },
  });
  return scheduleId;
}

async function matching(scheduleId: string, [from, to]: readonly [string, string]): Promise<string[]> {
  const { startTime } = await temporal.client.workflowService.listScheduleMatchingTimes({
    namespace: temporal.namespace,
    scheduleId,
    startTime: msToTs(Date.parse(from)),
    endTime: msToTs(Date.parse(to)),
  });
  return (startTime ?? []).map((time) => new Date(tsToMs(time)).toISOString());
}

function ours(cron: string, timezone: string, [from, to]: readonly [string, string]): string[] {
  const of = firing(cron, timezone);
  const times: string[] = [];
  for (let at = nextTime(of, new Date(from)); at && at <= new Date(to); at = nextTime(of, at))
    times.push(at.toISOString());
  return times;
}

test('Temporal refuses what we refuse and accepts what we accept', async () => {
  for (const cron of REFUSED_CRONS) await expect(create(cron, 'UTC'), cron).rejects.toThrow();
  for (const zone of REFUSED_ZONES) await expect(create('0 2 * * *', zone), zone).rejects.toThrow();
  for (const zone of ACCEPTED_ZONES) await create('0 2 * * *', zone);
});

/** Zones ahead of UTC and behind it, with changes at midnight and by half an hour. */
const CHANGING = [
  'Europe/Brussels',
  'America/New_York',
  'Africa/Cairo',
  'America/Santiago',
  'Australia/Lord_Howe',
] as const satisfies readonly (typeof ACCEPTED_ZONES)[number][];

/** Nights of clock changes in these zones, and a stretch without any change. */
const NIGHTS = [
  ['2027-03-13T00:00:00Z', '2027-03-15T00:00:00Z'],
  ['2027-03-27T10:00:00Z', '2027-03-29T10:00:00Z'],
  ['2027-04-03T00:00:00Z', '2027-04-05T00:00:00Z'],
  ['2027-04-29T00:00:00Z', '2027-05-01T00:00:00Z'],
  ['2027-09-04T00:00:00Z', '2027-09-06T00:00:00Z'],
  ['2027-10-02T00:00:00Z', '2027-10-04T00:00:00Z'],
  ['2027-10-28T00:00:00Z', '2027-11-01T00:00:00Z'],
  ['2027-11-06T00:00:00Z', '2027-11-09T00:00:00Z'],
] as const;

test.each(ACCEPTED_CRONS)(
  '%s fires when we predict, also across clock changes',
  { timeout: 120_000 },
  async (cron) => {
    for (const zone of CHANGING) {
      const id = await create(cron, zone);
      for (const night of NIGHTS)
        expect(ours(cron, zone, night), `${zone} from ${night[0]}`).toEqual(await matching(id, night));
    }
  },
);

test.each([
  ['0 3 1 * 1', 30],
  ['0 0 1-7 * 1', 10],
  ['0 2 */2 * 1-5', 3],
  ['0 2 29 2 *', 60],
  ['0 0 29 2 1', 70],
  ['0 2 * * 7', 10],
] as const)('%s fires when we say it does, over the years', async (cron, years) => {
  const range = ['2026-11-29T00:00:00Z', `${2026 + years}-11-29T00:00:00Z`] as const;
  const id = await create(cron, 'Europe/Brussels');
  const times = await matching(id, range);
  expect(times.length).toBeGreaterThan(1);
  expect(ours(cron, 'Europe/Brussels', range)).toEqual(times);
});
