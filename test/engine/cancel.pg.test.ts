/** Tests the cancel of an unclaimed job; the conformance suite covers claimed ones. */
import { expect, test } from 'vitest';
import { cancel } from '../../src/engine/cancel.ts';
import { params, startSystem } from '../support/system.ts';

test('a cancel ends an unclaimed job at once', async () => {
  await using system = await startSystem({ params: [params('queued', 'sync', '--mute')] });
  const submitted = await system.submit('queued', 'sync');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  const of = { id: submitted.job.id, principal: 'test' };
  expect(await cancel(system, of)).toMatchObject({ effect: 'ended', job: { status: 'deleted' } });
  expect(await cancel(system, of)).toMatchObject({ effect: 'none', job: { status: 'deleted' } });
});
