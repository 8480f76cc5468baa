/** Tests a hundred schedules and more: Temporal gets a bounded number of calls at once, a metrics scrape none. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import type { Db } from '../../src/db/schema.ts';
import { loadJobParams } from '../../src/job-params/load.ts';
import { createLog } from '../../src/log.ts';
import { createApiMetrics } from '../../src/metrics/api-metrics.ts';
import type { Temporal } from '../../src/temporal/connect.ts';
import { describeSchedules } from '../../src/temporal/schedules.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';
import { createNamespace } from '../support/temporal.ts';

type Interceptor = NonNullable<NonNullable<Parameters<typeof Connection.lazy>[0]>['interceptors']>[number];

const TARGETS = Array.from({ length: 40 }, (_, n) => `t${n}`);
const IDS = TARGETS.map((target) => `dev.${target}.sync`);
const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-schedules-'));

let temporal: Temporal;
let database: TestDatabase;
let db: Db;
const described = { now: 0, most: 0, all: 0 };

/** Counts the simultaneous calls to a real Temporal. */
const counting: Interceptor = (options, next) => {
  const call = next(options);
  if (!options.method_definition.path.endsWith('/DescribeSchedule')) return call as ReturnType<Interceptor>;
  described.all += 1;
  described.now += 1;
  described.most = Math.max(described.most, described.now);
  const start = call.start.bind(call);
  call.start = (metadata, listener) =>
    start(metadata, {
      ...listener,
      onReceiveMetadata: (received) => listener?.onReceiveMetadata?.(received),
      onReceiveMessage: (message) => listener?.onReceiveMessage?.(message),
      onReceiveStatus: (status) => {
        described.now -= 1;
        listener?.onReceiveStatus?.(status);
      },
    });
  return call as ReturnType<Interceptor>;
};

beforeAll(async () => {
  const { address, namespace } = await createNamespace();
  const connection = Connection.lazy({ address, interceptors: [counting] });
  const client = new Client({ connection, namespace });
  temporal = { client, connection, namespace, close: () => connection.close() };
  for (const scheduleId of IDS)
    await client.schedule.create({
      scheduleId,
      spec: { cronExpressions: ['30 2 * * *'] },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none', args: [] },
    });
  database = await createDatabase();
  db = connect(database.url, { max: 3, applicationName: 'test', onError: () => undefined });
}, 60_000);
afterAll(async () => {
  await temporal.close();
  await db.destroy();
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

// Each call has five seconds, which a Temporal that many tests share may exceed.
test('describes several schedules at once, and never more than sixteen', { retry: 2 }, async () => {
  Object.assign(described, { now: 0, most: 0, all: 0 });
  const states = await describeSchedules(temporal, [...IDS, 'dev.none.sync']);
  expect([...states.keys()].toSorted()).toEqual(IDS.toSorted());
  expect(described.all).toBe(IDS.length + 1);
  expect(described.most).toBe(16);
});

test('the check whether Temporal answers calls no schedule', async () => {
  const before = described.all;
  const log = createLog({ name: 'test', level: 'fatal' });
  const files = TARGETS.map((target) =>
    paramsFile({ target, action: 'sync', more: 'SCHEDULE=30 2 * * *\n' }),
  );
  const params = await loadJobParams(writeParams(dir, files));
  const { scrape } = createApiMetrics({ db, temporal, params, log });
  await expect
    .poll(scrape, { timeout: 30_000 })
    .toContain('syncrator_dependency_up{dependency="temporal"} 1');
  expect(described.all).toBe(before);
});
