import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { bankSetup, HOOK_SECRET, WEBHOOK } from '../../support/item-bank-setup.ts';

const DAY_MS = 24 * 3_600_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);

describe('sync of the item bank', () => {
  it('stores the latest revision of every item in the documented form', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    const last = t.gitlab.bank.commit(2, { item: 2, revision: 2 }, { date: ago(3) });
    expect(await t.run('sync --api_job_id 1')).toMatchObject({ code: EXIT.ok });
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
    expect(await t.query(`SELECT updated_at, record FROM items WHERE id = '2'`)).toEqual([
      {
        updated_at: last.date,
        record: {
          item: { item: 2, revision: 2 },
          path: 'item.json',
          project: 'item-bank/item-2',
          commit: { sha: last.sha, committed_at: last.date.toISOString().replace('Z', '+00:00') },
        },
      },
    ]);
    expect(t.last()).toMatchObject({
      phase: 'done',
      records_done: 3,
      records_total: 3,
      added: 3,
      updated: 0,
      failed: 0,
      data_source: `${t.gitlab.url}/item-bank`,
    });
  });

  it('creates the webhook of each project once, with the secret, and finds existing ones on any page', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    for (let other = 0; other < 120; other += 1) t.gitlab.bank.addHook(3, `http://other.test/${other}`, '');
    t.gitlab.bank.addHook(3, WEBHOOK, 'of before');
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    const ours = (id: number) => t.gitlab.bank.project(id).hooks.filter(({ url }) => url === WEBHOOK);
    expect(ours(1)).toMatchObject([{ token: HOOK_SECRET, push_events: true }]);
    expect(ours(2)).toHaveLength(1);
    expect(ours(3)).toHaveLength(1);
    expect(t.gitlab.count('hooks', 'POST')).toBe(2);
  });

  it('creates no second webhook when the answer to the first was lost', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    t.gitlab.bend = ({ what, method }) => {
      if (what !== 'hooks' || method !== 'POST') return undefined;
      t.gitlab.bank.addHook(1, WEBHOOK, HOOK_SECRET);
      return new Response('', { status: 502 });
    };
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.gitlab.bank.project(1).hooks).toHaveLength(1);
    expect(t.gitlab.count('hooks', 'POST')).toBe(1);
  });

  it('leaves webhooks unchanged without GITLAB_WEBHOOK_URL', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(2);
    expect((await t.run('sync', { GITLAB_WEBHOOK_URL: '', GITLAB_HOOK_SECRET: '' })).code).toBe(EXIT.ok);
    expect(t.gitlab.count('hooks') + t.gitlab.count('hooks', 'POST')).toBe(0);
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it('neither reads nor writes items that are at their latest revision', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(2);
    await t.run('sync');
    const before = await t.query('SELECT xmin::text, * FROM items ORDER BY id');
    t.gitlab.calls.length = 0;
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.gitlab.count('raw')).toBe(0);
    expect(await t.query('SELECT xmin::text, * FROM items ORDER BY id')).toEqual(before);
    expect(t.last()).toMatchObject({ added: 0, updated: 0 });
  });

  it('applies only new commits, oldest first, across any number of pages', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    await t.run('sync');
    const unseen = Array.from({ length: 130 }, (_, n) =>
      t.gitlab.bank.commit(1, { item: 1, revision: n + 2 }, { date: ago(10 - n / 100) }),
    );
    t.gitlab.bank.commit(1, null, { touches: false });
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    const first = t.gitlab.bank.history(1)[0]?.sha;
    expect(await t.log(1)).toEqual([first, ...unseen.map(({ sha }) => sha)]);
    expect(await t.query(`SELECT DISTINCT record->'item'->'revision' AS revision FROM items`)).toEqual([
      { revision: 131 },
    ]);
    expect(t.last()).toMatchObject({ added: 0, updated: 1 });
  });

  it.each([
    ['another', true],
    ['back to an earlier one', false],
  ])('stores the latest revision after the history was rewritten to %s', async (_, isNew) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    for (const revision of [2, 3])
      t.gitlab.bank.commit(1, { item: 1, revision }, { date: ago(9 - revision) });
    await t.run('sync');
    const [one, two, three] = t.gitlab.bank.history(1);
    if (!one || !two || !three) throw new Error('three commits are wanted');
    t.gitlab.bank.rewrite(1, [one, two]);
    // Dated before the stored one, as after a rebase or with a wrong clock.
    const late = isNew ? t.gitlab.bank.commit(1, { item: 1, revision: 'other' }, { date: ago(15) }) : two;
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.stored()).toEqual({ 1: late.sha });
    expect(await t.log(1)).toEqual(
      isNew ? [one.sha, two.sha, three.sha, late.sha] : [one.sha, three.sha, two.sha],
    );
  });

  it('identifies an item by its project id when its path changes', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    await t.run('sync');
    t.gitlab.bank.project(1).path = 'item-bank/grade-8/renamed';
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.query(`SELECT id, record->>'project' AS project FROM items`)).toEqual([
      { id: '1', project: 'item-bank/grade-8/renamed' },
    ]);
    expect(t.gitlab.count('raw')).toBe(1);
  });

  it('preserves JSON values that JavaScript cannot hold', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.create(1);
    t.gitlab.bank.commit(1, '{"long": 12345678901234567890.123456789, "name": "\\u00e9"}');
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await t.query(`SELECT record->'item'->>'long' AS long FROM items`)).toEqual([
      { long: '12345678901234567890.123456789' },
    ]);
  });

  it('counts and names projects without an item, which are not failures, and keeps stored items', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(2);
    await t.run('sync');
    bank.create(10); // an empty repository
    bank.create(11);
    bank.commit(11, null, { touches: false }); // no item file
    bank.create(12);
    bank.commit(12, { item: 12 }, { branch: 'create_john' }); // the file is not on the default branch yet
    bank.create(13);
    bank.commit(13, { item: 13 });
    bank.commit(13, null); // added and removed between two runs
    bank.project(1).archived = true;
    bank.commit(1, { item: 1, revision: 2 });
    const ended = await t.run('sync');
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toMatch(/projects without an item: 4 \((10|11|12|13)(, (10|11|12|13)){3}\)\n/);
    expect(Object.keys((await t.stored()) ?? {})).toEqual(['1', '2']);
    expect(t.last()).toMatchObject({ updated: 1, failed: 0, records_done: 6 });
  });

  it('names and marks items whose file was removed, and unmarks them when the file returns', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(4);
    await t.run('sync');
    const before = await t.stored();
    const marked = async () =>
      (await t.query<{ id: string }>(`SELECT id FROM items WHERE record ? 'removed' ORDER BY id`)).map(
        ({ id }) => id,
      );
    const old = bank.history(3);
    bank.commit(2, null);
    bank.commit(3, null);
    bank.rewrite(4, [bank.commit(4, null, { touches: false })]);
    const ended = await t.run('sync');
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toMatch(
      /items whose file is gone: 3, kept \(run delete to remove them\): [234], [234], [234]\n/,
    );
    expect(t.last()).toMatchObject({ added: 0, updated: 0, failed: 0 });
    expect(await t.stored()).toEqual(before);
    expect(await marked()).toEqual(['2', '3', '4']);
    // Reported again, but not written again.
    const rows = await t.query('SELECT xmin::text, * FROM items ORDER BY id');
    expect((await t.run('sync')).output).toContain('items whose file is gone: 3, kept');
    expect(await t.query('SELECT xmin::text, * FROM items ORDER BY id')).toEqual(rows);

    bank.commit(2, { item: 2, revision: 2 });
    bank.rewrite(3, old);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(await marked()).toEqual(['4']);
    expect(await t.stored()).toEqual({ ...bank.latest(), 4: before?.['4'] });
  });

  it.each([
    ['the call of its webhook', 'hooks', {}],
    ['the call of its commits', 'commits', { GITLAB_WEBHOOK_URL: '', GITLAB_HOOK_SECRET: '' }],
    ['the call of its text', 'raw', {}],
  ])(
    'counts a project that is deleted before %s as gone, whether its item was stored or not',
    async (_, at, more) => {
      await using t = await bankSetup();
      const { bank } = t.gitlab;
      bank.fill(3);
      await t.run('sync');
      const before = await t.stored();
      for (const id of [4, 5]) {
        bank.create(id);
        bank.commit(id, { item: id });
      }
      bank.commit(2, { item: 2, revision: 2 });
      t.gitlab.bend = ({ what, project }) => {
        if (what === at && (project === 2 || project === 4)) bank.projects.delete(project);
        return undefined;
      };
      const ended = await t.run('sync', more);
      expect(ended, t.last()?.message).toMatchObject({ code: EXIT.ok });
      expect(t.last()).toMatchObject({ failed: 0, records_done: 5, added: 1 });
      expect(ended.output).toMatch(
        /ids without a project in the group: \d+ \(run delete to remove their items\): .*2/,
      );
      expect(await t.stored()).toEqual({ ...before, 5: bank.latest()['5'] });
      expect(await t.query(`SELECT id FROM items WHERE record ? 'removed'`)).toEqual([]);
    },
  );

  it('includes projects of subgroups, without ignored ones and other groups', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(2);
    bank.create(7, 'item-bank/grade-8/item-7');
    bank.commit(7, { item: 7 });
    bank.create(8, 'elsewhere/item-8');
    bank.commit(8, { item: 8 });
    expect((await t.run('sync', { GITLAB_IGNORE: '2, 44' })).code).toBe(EXIT.ok);
    expect(Object.keys((await t.stored()) ?? {}).toSorted()).toEqual(['1', '7']);
    expect((await t.run('delta --item 8 --item 99')).output).toContain(
      'ids without a project in the group: 2 ',
    );
    expect(Object.keys((await t.stored()) ?? {})).toHaveLength(2);
  });

  it('leaves nothing to roll back', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    await t.run('sync');
    expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
  });

  it('is fenced by a newer job', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(2);
    await t.run('sync --api_job_id 5');
    t.gitlab.bank.commit(1, { item: 1, revision: 2 });
    expect((await t.run('sync --api_job_id 4')).code).toBe(EXIT.fenced);
    t.gitlab.bend = async ({ what }) => {
      // A newer job starts while the older one holds the text.
      if (what === 'raw') await t.query(`UPDATE syncrator.sinks SET run = gen_random_uuid(), job_id = 9`);
      return undefined;
    };
    const before = await t.stored();
    expect((await t.run('sync --api_job_id 6')).code).toBe(EXIT.fenced);
    expect(await t.stored()).toEqual(before);
  });
});
