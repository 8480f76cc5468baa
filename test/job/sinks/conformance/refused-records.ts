/** A record that the sink refuses, in every sink. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { someRows } from '../../support/fake-source.ts';
import { namesOf } from '../../support/setup.ts';
import { last, now, type SetUp, type SinkAdapter } from './tested-sink.ts';

export function testRefusedRecords(name: string, setup: SetUp, adapter: SinkAdapter): void {
  describe(`a record that ${name} refuses`, () => {
    it('is named, counts against MAX_REJECTED, and leaves what is live under its id', async () => {
      await using t = await setup(someRows(5));
      const environment = adapter.refused.environment ?? {};
      await t.run('sync', environment);
      await adapter.refused.prepare?.(t);
      t.source.put({ id: 'r00003', updated_at: now(), ...adapter.refused.fields });
      t.source.put({ id: 'r00001', updated_at: now(), name: 'good' });
      const refused = await t.run('sync -n 3', environment);
      expect(refused.code).toBe(EXIT.recordsRejected);
      expect(last(t)?.message).toMatch(/^1 bad record, and MAX_REJECTED allows 0; nothing was changed\./);
      expect(last(t)?.failed_items).toEqual([
        { id: 'r00003', why: expect.stringMatching(adapter.refused.why) as string },
      ]);
      expect(await t.names()).toEqual(namesOf(someRows(5)));
      const live = { ...namesOf(someRows(5)), r00001: 'good' };
      expect((await t.run('sync -n 3', { ...environment, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ failed: 1, deleted: 0, failed_items: [{ id: 'r00003' }] });
      expect(await t.names()).toEqual(live);
      expect((await t.run('delta', { ...environment, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ failed: 1 });
      expect(await t.names()).toEqual(live);
      expect(refused.output + JSON.stringify(t.receiver.reports)).not.toContain('precious');
    });
  });
}
