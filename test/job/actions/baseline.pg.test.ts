/** BASELINE: what only a Postgres sink meets, and a wrong setting. What every sink does: test/job/sinks/conformance/baseline.ts. */
import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { setup } from '../support/setup.ts';

test('another word is refused', async () => {
  await using t = await setup(someRows(1));
  const ended = await t.run('sync', { BASELINE: 'on' });
  expect(ended.code).toBe(EXIT.notConfigured);
  expect(ended.output).toContain('BASELINE is not one of off, watch, hold');
});

test('a table that others have emptied is filled again', async () => {
  await using t = await setup(someRows(200));
  for (let night = 0; night <= 7; night += 1) await t.run('sync');
  await t.query('TRUNCATE cities');
  expect((await t.run('sync', { BASELINE: 'hold' })).code).toBe(EXIT.ok);
  expect(Object.keys((await t.names()) ?? {})).toHaveLength(200);
  expect(t.receiver.reports.at(-1)?.warnings?.join()).not.toContain('unusual');
});
