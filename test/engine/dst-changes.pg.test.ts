/** Compares our list of clock-change firings with Temporal's own matching times, for both nights of Europe/Brussels. */
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInstallation } from '../../src/db/migrate.ts';
import { loadJobParams } from '../../src/job-params/load.ts';
import { clockChanges } from '../../src/engine/dst-changes.ts';
import { syncSchedules } from '../../src/temporal/schedules.ts';
import { params, startSystem, type System } from '../support/system.ts';

/** At 01:00 UTC the clocks go from 02:00 to 03:00. */
const MARCH = { from: '2027-03-27T22:00:00Z', to: '2027-03-28T03:00:00Z' };
/** At 01:00 UTC the clocks go from 03:00 back to 02:00. */
const OCTOBER = { from: '2027-10-30T22:00:00Z', to: '2027-10-31T03:00:00Z' };

/**
 * Expected firings after `from`, up to `to`, in UTC. In March a skipped time does not fire. In October a repeated
 * time fires once: a daily one the second time; of several an hour Temporal leaves out those between, so that `0 *
 * * * *` pauses for two hours. An `every` schedule knows no zone.
 */
const TABLE: readonly { schedule: string; march: string; october: string }[] = [
  { schedule: '30 1 * * *', march: '00:30', october: '23:30 00:30' },
  { schedule: '0 2 * * *', march: '', october: '01:00' },
  { schedule: '30 2 * * *', march: '', october: '01:30' },
  { schedule: '0 3 * * *', march: '01:00', october: '02:00' },
  { schedule: '0 * * * *', march: '23:00 00:00 01:00 02:00 03:00', october: '23:00 00:00 02:00 03:00' },
  {
    schedule: '*/30 * * * *',
    march: '22:30 23:00 23:30 00:00 00:30 01:00 01:30 02:00 02:30 03:00',
    october: '22:30 23:00 23:30 00:00 01:30 02:00 02:30 03:00',
  },
  {
    schedule: 'every 3600s',
    march: '23:00 00:00 01:00 02:00 03:00',
    october: '23:00 00:00 01:00 02:00 03:00',
  },
];

let system: System;
const idOf = (index: number) => `dev.night${index}.sync`;

beforeAll(async () => {
  system = await startSystem({
    params: TABLE.map(({ schedule }, index) =>
      params(`night${index}`, 'sync', '--mute', `SCHEDULE=${schedule}\nTIMEZONE=Europe/Brussels\n`),
    ),
  });
  const declared = await loadJobParams(system.environment['JOB_PARAMS'] ?? '');
  await syncSchedules({ ...system, params: declared, installation: await readInstallation(system.db) });
});
afterAll(() => system[Symbol.asyncDispose]());

async function matching(scheduleId: string, night: { from: string; to: string }): Promise<Date[]> {
  const { startTime } = await system.temporal.client.workflowService.listScheduleMatchingTimes({
    namespace: system.temporal.namespace,
    scheduleId,
    startTime: msToTs(Date.parse(night.from)),
    endTime: msToTs(Date.parse(night.to)),
  });
  return (startTime ?? []).map((time) => new Date(tsToMs(time)));
}
const clock = (times: readonly Date[]) => times.map((time) => time.toISOString().slice(11, 16)).join(' ');

test.each(TABLE.map((row, index) => ({ ...row, id: idOf(index) })))(
  '$schedule: $march in March, $october in October',
  async ({ id, march, october }) => {
    expect(clock(await matching(id, MARCH))).toBe(march);
    expect(clock(await matching(id, OCTOBER))).toBe(october);
  },
);

test('Temporal fires in a night of a clock change as we predict', async () => {
  const told = async (schedule: string, night: { from: string; to: string }) => {
    const id = idOf(TABLE.findIndex((row) => row.schedule === schedule));
    // The next firing of the daily ones is a day later, which ends the preview.
    const until = new Date(Date.parse(night.to) + 86_400_000).toISOString();
    const coming = await matching(id, { ...night, to: until });
    const changes = clockChanges(
      { cron: schedule, timezone: 'Europe/Brussels' },
      new Date(night.from),
      coming,
    );
    return changes.map(({ localTime, kind, fires }) => `${localTime} ${kind} ${clock(fires)}`.trim());
  };
  expect(await told('0 3 * * *', MARCH)).toEqual([]);
  expect(await told('30 2 * * *', MARCH)).toEqual(['2027-03-28T02:30 gap']);
  expect(await told('30 2 * * *', OCTOBER)).toEqual(['2027-10-31T02:30 overlap 01:30']);
  expect(await told('0 * * * *', MARCH)).toEqual(['2027-03-28T02:00 gap']);
  expect(await told('0 * * * *', OCTOBER)).toEqual(['2027-10-31T02:00 overlap 00:00']);
  expect(await told('*/30 * * * *', OCTOBER)).toEqual([
    '2027-10-31T02:00 overlap 00:00',
    '2027-10-31T02:30 overlap 01:30',
  ]);
});
