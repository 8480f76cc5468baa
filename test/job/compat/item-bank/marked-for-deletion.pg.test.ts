/** Projects marked for deletion, archived projects, and projects that leave the group. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type BankSetup, bankSetup } from '../../support/item-bank-setup.ts';

const paths = async (t: BankSetup): Promise<Record<string, string>> =>
  Object.fromEntries(
    (
      await t.query<{ id: string; project: string }>(`SELECT id, record->>'project' AS project FROM items`)
    ).map(({ id, project }) => [id, project]),
  );

/** Marked like a group: its path shows it, its projects do not. */
function markGroup(t: BankSetup, ...ids: number[]): void {
  for (const id of ids) {
    const project = t.gitlab.bank.project(id);
    project.path = project.path.replace('/grade-8/', '/grade-8-deletion_scheduled-55/');
  }
}

describe('a project marked for deletion', () => {
  it.each([
    ['with its date and path', (t: BankSetup) => t.gitlab.bank.markForDeletion(42)],
    [
      'with its date alone, as GitLab 17 does it',
      (t: BankSetup) => Object.assign(t.gitlab.bank.project(42), { markedForDeletionOn: '2026-11-28' }),
    ],
    [
      'with its path alone, as GitLab without a licence does it',
      (t: BankSetup) => (t.gitlab.bank.project(42).path += '-deletion_scheduled-42'),
    ],
  ])('%s is left unchanged by sync and delta, with a log line, and removed by delete', async (_, mark) => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(60);
    await t.run('sync -c 8');
    const [before, names] = [await t.stored(), await paths(t)];
    bank.commit(42, { item: 42, revision: 2 });
    mark(t);
    for (const action of ['sync -c 8', 'delta', 'delta --item 42']) {
      const ended = await t.run(action);
      expect(ended.code).toBe(EXIT.ok);
      expect(ended.output).toContain(
        'projects marked for deletion: 1, items unchanged (run delete to remove them): 42',
      );
    }
    expect(await t.stored()).toEqual(before);
    expect(await paths(t)).toEqual(names);
    expect(bank.project(42).hooks).toHaveLength(1);

    const ended = await t.run('delete');
    expect(ended.code).toBe(EXIT.ok);
    expect(ended.output).toContain('projects marked for deletion: 1; their items will be removed');
    const { 42: _gone, ...others } = names;
    expect(await paths(t)).toEqual(others);
  });

  it('gets its own path and item back when it is restored, before and after a delete', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(60);
    await t.run('sync -c 8');
    const names = await paths(t);
    bank.markForDeletion(42);
    await t.run('sync -c 8');
    bank.restore(42);
    await t.run('sync -c 8');
    expect(await paths(t)).toEqual(names);
    bank.markForDeletion(42);
    await t.run('delete');
    expect(Object.keys(await paths(t))).toHaveLength(59);
    bank.restore(42);
    await t.run('sync -c 8');
    expect(await paths(t)).toEqual(names);
    expect(await t.stored()).toEqual(bank.latest());
  });

  it('whose renamed path an earlier version stored gets its own path again', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(2);
    await t.run('sync');
    await t.query(
      `UPDATE items SET record = jsonb_set(record, '{project}', '"item-bank/item-2-deletion_scheduled-2"') WHERE id = '2'`,
    );
    await t.run('sync');
    expect(await paths(t)).toEqual({ 1: 'item-bank/item-1', 2: 'item-bank/item-2' });
  });

  it('is not imported if the sink does not have it', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    t.gitlab.bank.markForDeletion(3);
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(Object.keys(await paths(t))).toEqual(['1', '2']);
    expect(t.gitlab.bank.project(3).hooks).toEqual([]);
  });

  it('through its group is recognised, and a project with a similar name is not', async () => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(60);
    for (const id of [61, 62]) bank.commit(bank.create(id, `item-bank/grade-8/item-${id}`).id, { item: id });
    // No project has this id.
    bank.commit(bank.create(63, 'item-bank/of-deletion_scheduled-7').id, { item: 63 });
    await t.run('sync -c 8');
    const names = await paths(t);
    markGroup(t, 61, 62);
    await t.run('sync -c 8');
    expect(await paths(t)).toEqual(names);
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    const { 61: _1, 62: _2, ...others } = names;
    expect(await paths(t)).toEqual(others);
    expect(others).toHaveProperty('63');
  });

  it('counts for the delete guard, which refuses many at once', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(60);
    await t.run('sync -c 8');
    for (let id = 1; id <= 20; id += 1) t.gitlab.bank.markForDeletion(id);
    expect((await t.run('delete')).code).toBe(EXIT.deleteGuard);
    expect(Object.keys(await paths(t))).toHaveLength(60);
  });
});

it('an archived project keeps its item, and a project that left the group does not', async () => {
  await using t = await bankSetup();
  t.gitlab.bank.fill(60);
  await t.run('sync -c 8');
  t.gitlab.bank.project(7).archived = true;
  t.gitlab.bank.project(8).path = 'elsewhere/item-8';
  expect((await t.run('delete')).code).toBe(EXIT.ok);
  const kept = Object.keys(await paths(t)).map(Number);
  expect(kept).toContain(7);
  expect(kept).not.toContain(8);
  expect(kept).toHaveLength(59);
});
