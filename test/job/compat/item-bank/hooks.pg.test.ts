/** Webhooks that would not deliver a push. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import type { FakeHook } from '../../../support/gitlab/bank.ts';
import { answer } from '../../support/bend.ts';
import { type BankSetup, bankSetup, HOOK_SECRET, WEBHOOK } from '../../support/item-bank-setup.ts';

const SOUND = { token: HOOK_SECRET, push_events: true, alert_status: 'executable', disabled_until: null };
const SECURE = WEBHOOK.replace('http:', 'https:');

async function withHook(t: BankSetup, how: Partial<FakeHook>, url = WEBHOOK): Promise<FakeHook> {
  t.gitlab.bank.fill(3);
  return Object.assign(t.gitlab.bank.addHook(2, url, 'of before'), how);
}

describe('our webhook of a project', () => {
  it.each<[string, Partial<FakeHook>, number]>([
    ['disabled', { alert_status: 'disabled' }, 1],
    [
      'temporarily_disabled until 2026-11-30T04:00:00.000Z',
      { alert_status: 'temporarily_disabled', disabled_until: '2026-11-30T04:00:00.000Z' },
      1,
    ],
    ['push_events: false', { push_events: false }, 0],
    ['disabled, push_events: false', { alert_status: 'disabled', push_events: false }, 1],
  ])('if %s, is reported and repaired with the secret, and stays the only one', async (wrong, how, tests) => {
    await using t = await bankSetup();
    const hook = await withHook(t, how);
    const ended = await t.run('sync');
    expect(ended.code).toBe(EXIT.ok);
    expect(t.gitlab.bank.project(2).hooks).toEqual([hook]);
    expect(hook).toMatchObject(SOUND);
    expect(t.gitlab.count('push_events', 'POST')).toBe(tests);
    expect(ended.output).toContain(`webhook of item-bank/item-2 was ${wrong}; repaired`);
    expect(t.last()).toMatchObject({ failed: 0 });
    expect(t.last()?.warnings).toEqual([
      `the webhooks of 1 projects were broken and have been repaired; earlier pushes were not reported: item-bank/item-2 (${wrong})`,
    ]);

    t.gitlab.calls.length = 0;
    expect((await t.run('sync')).output).not.toContain('repaired');
    expect(t.gitlab.count('hook', 'PUT')).toBe(0);
    expect(t.last()?.warnings).toBeUndefined();
  });

  it('that skips certificate checks is repaired, unless that is configured', async () => {
    await using t = await bankSetup();
    const hook = await withHook(t, { enable_ssl_verification: false }, SECURE);
    const more = { GITLAB_WEBHOOK_URL: SECURE };
    expect((await t.run('sync', { ...more, GITLAB_HOOK_SSL_VERIFICATION: 'false' })).code).toBe(EXIT.ok);
    expect(hook.enable_ssl_verification).toBe(false);
    expect(t.gitlab.bank.project(1).hooks).toMatchObject([{ enable_ssl_verification: false }]);
    const ended = await t.run('sync', more);
    expect(ended.output).toContain(
      'webhook of item-bank/item-2 was enable_ssl_verification: false; repaired',
    );
    expect(hook).toMatchObject({ ...SOUND, enable_ssl_verification: true });
    expect(t.gitlab.bank.project(2).hooks).toHaveLength(1);
    expect((await t.run('sync', { ...more, GITLAB_HOOK_SSL_VERIFICATION: 'no' })).code).toBe(
      EXIT.notConfigured,
    );
  });

  it('that stays disabled after a failed test delivery fails its item; all items are imported', async () => {
    await using t = await bankSetup();
    await withHook(t, { alert_status: 'disabled' });
    t.gitlab.receives = 503;
    expect((await t.run('sync')).code).toBe(EXIT.itemsFailed);
    const why = 'webhook: disabled; its test delivery failed; make GITLAB_WEBHOOK_URL reachable for GitLab';
    expect(t.checkpoint()?.failed).toEqual([{ id: '2', why }]);
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
    t.gitlab.receives = 202;
    expect((await t.resume('sync')).code).toBe(EXIT.ok);
    expect(t.gitlab.bank.project(2).hooks).toMatchObject([SOUND]);
  });

  it.each([
    ['an old GitLab has no test for it', 404, 'GitLab before 16.11 has no call that enables it'],
    ['GitLab claims to have enabled it, but has not', 201, 'webhook: it is still disabled after the repair'],
  ])('that stays disabled, since %s, fails its item', async (_, status, why) => {
    await using t = await bankSetup();
    await withHook(t, { alert_status: 'disabled' });
    t.gitlab.bend = ({ what }) => (what === 'push_events' ? answer(status) : undefined);
    expect((await t.run('sync')).code).toBe(EXIT.itemsFailed);
    expect(t.checkpoint()?.failed[0]?.why).toContain(why);
    expect(t.gitlab.bank.project(2).hooks).toHaveLength(1);
  });

  it('is repaired once if the answer to the repair was lost', async () => {
    await using t = await bankSetup();
    const hook = await withHook(t, { push_events: false });
    let lost = false;
    t.gitlab.bend = ({ what, method }) => {
      if (lost || what !== 'hook' || method !== 'PUT') return undefined;
      lost = true;
      Object.assign(hook, { push_events: true, token: HOOK_SECRET });
      return answer(502);
    };
    expect((await t.run('sync')).output).toContain('item-2 was push_events: false; repaired');
    expect(t.gitlab.bank.project(2).hooks).toMatchObject([SOUND]);
    expect(t.gitlab.count('hook', 'PUT')).toBe(1);
  });

  it('is not repaired while another one of ours works, and webhooks of others are ignored', async () => {
    await using t = await bankSetup();
    await withHook(t, { alert_status: 'disabled' });
    t.gitlab.bank.addHook(2, WEBHOOK, HOOK_SECRET);
    Object.assign(t.gitlab.bank.addHook(2, 'http://other.test', ''), { alert_status: 'disabled' });
    expect((await t.run('sync')).code).toBe(EXIT.ok);
    expect(t.gitlab.count('hook', 'PUT')).toBe(0);
    expect(t.gitlab.bank.project(2).hooks).toHaveLength(3);
  });
});
