/** The listing of changes of a connector, by its STATE. */
import { describe, expect, it } from 'vitest';
import { collect } from '../../support/fake-source.ts';
import { drop, open, settingsOf } from './support/open.ts';

const at = (minute: number): string => `2026-11-01T10:0${minute}:00Z`;

describe('the changes of a connector', () => {
  it('tell what it marks as deleted, unless the record comes again, and say where to go on', async () => {
    const rows = [
      { id: 'a', changed: at(1) },
      { id: 'b', changed: at(2), _ab_cdc_deleted_at: at(2) },
      { id: 'c', changed: at(2), _sdc_deleted_at: at(2) },
      { id: 'c', changed: at(3), _sdc_deleted_at: null },
      { id: 'd', changed: at(1), _ab_cdc_deleted_at: at(1) },
    ];
    const config = { ...drop().records(rows), cursor: 'changed' };
    const settings = settingsOf(config, { SOURCE_UPDATED_AT: 'changed' });
    const listed = async (last: string | null) => {
      const source = open(settings);
      source.state?.begin(last);
      const { total } = await source.survey(null);
      const batches = await collect(source.changedSince(null, null, 2));
      const told = {
        total,
        records: batches.flatMap(({ records }) => records.map(({ id }) => id)),
        gone: batches.flatMap(({ gone = [] }) => gone.map(({ id }) => id)),
        continues: source.state?.continues(),
      };
      return { source, told, reached: source.state?.reached() ?? null };
    };
    const first = await listed(null);
    expect(first.told).toEqual({ total: 4, records: ['a', 'c'], gone: ['b', 'd'], continues: false });
    const next = await listed(first.reached);
    expect(next.told).toEqual({ total: 1, records: ['c'], gone: [], continues: true });
    // The second question reads everything, whatever the listing was.
    expect([...(await next.source.stillThere(['a', 'x']))]).toEqual(['a']);
    await next.source.close?.();
  });

  it('tell no deletion by an empty mark, and one whatever time the record tells', async () => {
    const later = '2999-01-01T00:00:00Z';
    const rows = [
      { id: 'a', changed: at(1), _ab_cdc_deleted_at: '' },
      { id: 'b', changed: at(1), _ab_cdc_deleted_at: false },
      { id: 'c', changed: later, _ab_cdc_deleted_at: at(1) },
    ];
    const config = { ...drop().records(rows), cursor: 'changed' };
    const source = open(settingsOf(config, { SOURCE_UPDATED_AT: 'changed' }));
    source.state?.begin(null);
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(['a', 'b']);
    const gone = batches.flatMap(({ gone = [] }) => gone);
    expect(gone.map(({ id }) => id)).toEqual(['c']);
    expect(Date.parse(gone[0]?.at ?? '')).toBeGreaterThan(Date.parse(later));
    await source.close?.();
  });

  it('tell no deletion by a tap whose reading is not proven complete, and its log says so', async () => {
    const rows = [
      { id: 'a', changed: at(1) },
      { id: 'b', changed: at(2), _sdc_deleted_at: at(2) },
    ];
    const config = { ...drop().records(rows), cursor: 'changed' };
    const singer = { CONNECTOR_PROTOCOL: 'singer', CONNECTOR_STREAM: 'public-places' };
    const log: string[] = [];
    const source = open(settingsOf(config, { SOURCE_UPDATED_AT: 'changed', ...singer }), { log });
    source.state?.begin(null);
    expect(await source.survey(null)).toEqual({ total: 1 });
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches).toMatchObject([{ records: [{ id: 'a' }] }]);
    expect(batches[0]).not.toHaveProperty('gone');
    expect(log.join('\n')).toContain('1 records that are marked as deleted stay');
    expect(log.join('\n')).toContain('CONNECTOR_EXIT_COMPLETE=true');
    expect(source.state?.reached()).toContain(at(2));
    await source.close?.();
  });

  it('go on by the STATE of their own stream, whatever others say behind it', async () => {
    const state = (type: string, of: object): string =>
      JSON.stringify({ type: 'STATE', state: { type, ...of } });
    const other = { stream_descriptor: { name: 'other' }, stream_state: { since: 'of another' } };
    const lines = [state('STREAM', { stream: other }), state('LEGACY', { data: { since: 'of all' } })];
    const config = { ...drop().records([{ id: 'a', changed: at(1) }]), cursor: 'changed', lines };
    const source = open(settingsOf(config, { SOURCE_UPDATED_AT: 'changed' }));
    source.state?.begin(null);
    await collect(source.changedSince(null, null, 10));
    expect(source.state?.reached()).toContain(at(1));
    expect(source.state?.reached()).not.toContain('of a');
    await source.close?.();
  });

  it('are none of a stream that lists everything alone', async () => {
    const source = open(settingsOf(drop().records([{ id: 'a' }, { id: 'b', _ab_cdc_deleted_at: at(1) }])));
    source.state?.begin('{"of":"other settings","state":{"since":""}}');
    const batches = await collect(source.changedSince(null, null, 10));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(['a', 'b']);
    expect([source.state?.continues(), source.state?.reached()]).toEqual([false, null]);
    await source.close?.();
  });
});
