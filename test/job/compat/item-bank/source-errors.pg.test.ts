import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { cutShort, loginPage, stall, TOKEN, tooMany } from '../../../support/gitlab/gitlab.ts';
import { answer, bendFirst, bendItem } from '../../support/bend.ts';
import { type BankSetup, bankSetup, HOOK_SECRET, WEBHOOK } from '../../support/item-bank-setup.ts';

const secondNow = (): number => Math.floor(Date.now() / 1000);

describe('a transient fault of GitLab', () => {
  it.each([
    ['a 500', 'raw', 3, () => answer(500)],
    ['a 502 of the list', 'projects', 4, () => answer(502)],
    ['a 408', 'commits', 2, () => answer(408)],
    ['a time-out', 'commits', 1, stall],
    ['a body cut short', 'commits', 2, cutShort],
    ['a 429 without a time', 'hooks', 2, () => tooMany({})],
    ['a 429 with Retry-After', 'commits', 3, () => tooMany({ 'retry-after': '1' })],
    ['a 429 with RateLimit-Reset', 'raw', 8, () => tooMany({ 'ratelimit-reset': String(secondNow() + 1) })],
    [
      'a 503 with Retry-After',
      'raw',
      2,
      () => new Response('', { status: 503, headers: { 'retry-after': '1' } }),
    ],
  ])('is retried: %s of %s', async (_, what, times, how) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    bendFirst(t, what, times, how);
    expect(await t.run('sync')).toMatchObject({ code: EXIT.ok });
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it('by the rate limit pauses all calls until it resets', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(12);
    const begun: number[] = [];
    let limited: number | null = null;
    t.gitlab.bend = ({ what }) => {
      if (what === 'projects') return undefined;
      if (limited !== null) begun.push(Date.now());
      if (limited !== null || what !== 'commits') return undefined;
      limited = Date.now();
      return tooMany({ 'retry-after': '2' });
    };
    expect((await t.run('sync -c 4')).code).toBe(EXIT.ok);
    const inBetween = begun.filter((at) => at - Number(limited) < 1_900);
    // Calls of other lanes that were under way already.
    expect(inBetween.length).toBeLessThanOrEqual(3);
    expect(begun.length).toBeGreaterThan(12);
  });
});

describe('a permanent fault of one item', () => {
  it.each([
    ['500 beside the RateLimit-Reset that every answer has', {}],
    ['500 with Retry-After, which is not for it', { 'retry-after': '30' }],
  ])('fails the item after five attempts without delaying others: %s', async (_, headers) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(30);
    t.gitlab.bend = bendItem(2, 'raw', () => new Response('', { status: 500, headers }));
    const began = Date.now();
    expect((await t.run('sync -c 4')).code).toBe(EXIT.itemsFailed);
    expect(t.gitlab.calls.filter(({ what, project }) => what === 'raw' && project === 2)).toHaveLength(5);
    expect(t.checkpoint()?.failed).toEqual([{ id: '2', why: 'item.json: answered 500' }]);
    expect(Object.keys((await t.stored()) ?? {})).toHaveLength(29);
    // Five tries take four seconds with their pauses.
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it('with 503 and Retry-After does not delay other items', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(30);
    const times: { project: number | null; at: number }[] = [];
    let busyAt: number | null = null;
    t.gitlab.bend = ({ what, project }) => {
      times.push({ project, at: Date.now() });
      if (what !== 'commits' || project !== 2 || busyAt !== null) return undefined;
      busyAt = Date.now();
      return new Response('', { status: 503, headers: { 'retry-after': '3' } });
    };
    expect((await t.run('sync -c 4')).code).toBe(EXIT.ok);
    const meanwhile = times.filter(({ at }) => at > Number(busyAt) && at < Number(busyAt) + 2_900);
    expect(new Set(meanwhile.map(({ project }) => project)).size).toBeGreaterThan(20);
    expect(meanwhile.filter(({ project }) => project === 2)).toEqual([]);
  });

  it.each([
    ['its commits answer 500', 'commits', () => answer(500), 'commits: answered 500'],
    ['its commits are a login page', 'commits', loginPage, 'commits: not JSON'],
    [
      'its commits are not a list',
      'commits',
      () => Response.json({ id: 1 }),
      'commits: JSON, but not as expected',
    ],
    ['its commits time out', 'commits', stall, 'commits: no complete answer within 1 s'],
    [
      'it redirects',
      'commits',
      () => new Response('', { status: 302, headers: { location: '/' } }),
      'commits: answered 302; set GITLAB_URL to the address it redirects to',
    ],
    ['it may not be read', 'commits', () => answer(403), 'commits: answered 403'],
    ['its hooks may not be read', 'hooks', () => answer(403), 'webhook: answered 403'],
    ['its text is a login page', 'raw', loginPage, 'item.json: not JSON'],
    ['its text is a list', 'raw', () => new Response('[]'), 'item.json: JSON, but not an object'],
    ['its text is cut', 'raw', () => new Response('{"a":'), 'item.json: not JSON'],
    [
      'its text is not UTF-8',
      'raw',
      () => new Response(new Uint8Array([123, 255, 125])),
      'item.json answers with a body that is not UTF-8',
    ],
    [
      'its text holds U+0000',
      'raw',
      () => new Response('{"a":"\\u0000"}'),
      'JSON that Postgres cannot store',
    ],
    [
      'its text is huge',
      'raw',
      () => new Response(`{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`),
      'item.json answers more than 16777216 bytes',
    ],
  ])('fails only this item, and a resume retries it alone: %s', async (_, what, how, why) => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(4);
    t.gitlab.bend = bendItem(2, what, how);
    // Only a silent GitLab needs a short time-out here.
    const ended = await t.run('sync -c 2', { GITLAB_TIMEOUT: how === stall ? '1' : '20' });
    expect(ended.code).toBe(EXIT.itemsFailed);
    const { 2: second, ...others } = bank.latest();
    expect(await t.stored()).toEqual(what === 'hooks' ? bank.latest() : others);
    expect(t.last()).toMatchObject({
      phase: 'failed',
      failed: 1,
      records_done: 4,
      message: `1 item failed: 2 (${why}); all others of 4 are done`,
      checkpoint: { failed: [{ id: '2', why }], place: null },
    });
    expect(ended.output).toContain(`item 2 failed: ${why}`);
    expect(await t.watermark()).toBeNull();

    t.gitlab.bend = null;
    t.gitlab.calls.length = 0;
    expect((await t.resume('sync -c 2')).code).toBe(EXIT.ok);
    expect(new Set(t.gitlab.calls.map(({ project }) => project))).toEqual(new Set([2]));
    expect(await t.stored()).toEqual({ ...others, 2: second });
    expect(t.last()).toMatchObject({ phase: 'done', failed: 0, records_done: 4, checkpoint: null });
    expect(await t.watermark()).not.toBeNull();
  });

  it.each([
    [
      'its repository answers 404',
      (t: BankSetup) => (t.gitlab.bend = bendItem(2, 'commits', () => answer(404))),
      'commits: answered 404',
    ],
    [
      'its hooks answer 404',
      (t: BankSetup) => (t.gitlab.bend = bendItem(2, 'hooks', () => answer(404))),
      'webhook: answered 404',
    ],
    [
      'its repository has no branch',
      (t: BankSetup) => t.gitlab.bank.project(2).branches.clear(),
      'its repository has no branch',
    ],
  ])('fails a stored item and keeps the watermark: %s', async (_, harm, why) => {
    await using t = await bankSetup();
    const { bank } = t.gitlab;
    bank.fill(3);
    await t.run('sync');
    await t.query(`UPDATE syncrator.sinks SET watermark = watermark - interval '1 day'`);
    const [before, watermark] = [await t.stored(), await t.watermark()];
    const branches = new Map(bank.project(2).branches);
    harm(t);
    expect((await t.run('sync')).code).toBe(EXIT.itemsFailed);
    expect(t.checkpoint()?.failed).toEqual([{ id: '2', why }]);
    expect(await t.stored()).toEqual(before);
    expect(await t.watermark()).toEqual(watermark);

    t.gitlab.bend = null;
    for (const [branch, commits] of branches) bank.project(2).branches.set(branch, commits);
    bank.commit(2, { item: 2, revision: 2 });
    expect((await t.resume('sync')).code).toBe(EXIT.ok);
    expect(await t.stored()).toEqual(bank.latest());
    expect(Number(await t.watermark())).toBeGreaterThan(Number(watermark));
  });

  it('is listed again if a resume fails too', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    t.gitlab.bend = bendItem(3, 'raw', () => answer(418));
    await t.run('sync');
    expect((await t.resume('sync')).code).toBe(EXIT.itemsFailed);
    expect(t.checkpoint()).toMatchObject({ failed: [{ id: '3' }], place: null, done: 3 });
  });
});

describe('a fault that concerns all items', () => {
  it.each([
    ['401', () => answer(401), EXIT.sourceUnauthorized, 'answered 401 [unauthorized]'],
    ['403', () => answer(403), EXIT.sourceUnauthorized, 'answered 403 [unauthorized]'],
    [
      '404',
      () => answer(404),
      EXIT.notConfigured,
      'GITLAB_GROUP does not exist, or GITLAB_TOKEN cannot see it',
    ],
    ['500', () => answer(500), EXIT.failed, 'answered 500 [http_error]'],
    ['a login page', loginPage, EXIT.failed, 'not JSON [bad_answer]'],
    ['nothing', stall, EXIT.sourceTimeout, 'no complete answer within 1 s [timeout]'],
  ])('ends the run if the list answers %s', async (_, how, code, why) => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(1);
    bendFirst(t, 'projects', 99, how);
    expect((await t.run('sync', { GITLAB_TIMEOUT: '1' })).code).toBe(code);
    expect(t.last()?.message).toContain(why);
  });

  it('ends the run if the token is revoked, and a resume continues at that page', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(150);
    t.gitlab.bend = ({ project }) => {
      if (project === 120) t.gitlab.token = 'glpat-another';
      return undefined;
    };
    expect((await t.run('sync -c 4')).code).toBe(EXIT.sourceUnauthorized);
    expect(t.last()).toMatchObject({ failed: 0, checkpoint: { place: { after: '100' }, failed: [] } });
    t.gitlab.bend = null;
    const saved = { SYNCRATOR_CHECKPOINT: JSON.stringify(t.checkpoint()), GITLAB_TOKEN: 'glpat-another' };
    t.gitlab.calls.length = 0;
    expect((await t.run('sync -c 4', saved)).code).toBe(EXIT.ok);
    expect(t.gitlab.calls.filter(({ project }) => project !== null && project <= 100)).toEqual([]);
    expect(await t.stored()).toEqual(t.gitlab.bank.latest());
  });

  it('ends the run if a page of the list keeps failing, and a resume continues at that page', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(350);
    t.gitlab.bend = ({ what, query }) =>
      what === 'projects' && query['page'] === '3' ? answer(500) : undefined;
    expect((await t.run('sync -c 8')).code).toBe(EXIT.failed);
    // Each page contains the last project of the one before.
    expect(Object.keys((await t.stored()) ?? {})).toHaveLength(198);
    t.gitlab.bend = null;
    t.gitlab.calls.length = 0;
    // Removed meanwhile, so page 3 now begins with an unread project.
    for (const id of [4, 5, 6]) t.gitlab.bank.projects.delete(id);
    expect((await t.resume('sync -c 8')).code).toBe(EXIT.ok);
    expect(t.gitlab.calls.filter(({ project }) => project !== null && project <= 198)).toEqual([]);
    const { 4: _4, 5: _5, 6: _6, ...there } = (await t.stored()) ?? {};
    expect(there).toEqual(t.gitlab.bank.latest());
  });

  it('includes SIGTERM, after which a checkpoint remains', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(150);
    t.gitlab.bend = ({ project }) => (project === 130 ? stall() : undefined);
    const { child, ended } = t.spawn('sync -c 2', { GITLAB_TIMEOUT: '60' });
    await expect
      .poll(() => t.gitlab.calls.some(({ project }) => project === 130), { timeout: 20_000 })
      .toBe(true);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(EXIT.terminated);
    expect(t.last()).toMatchObject({ message: 'ended by SIGTERM', checkpoint: { place: { after: '100' } } });
  });
});

describe('the secrets of the item bank', () => {
  it('appear in no log, report or error', async () => {
    await using t = await bankSetup();
    t.gitlab.bank.fill(3);
    t.gitlab.bend = ({ what, project }) => (project === 2 && what === 'commits' ? answer(500) : undefined);
    const outputs = [await t.run('sync --debug')];
    bendFirst(t, 'projects', 99, () => answer(403));
    outputs.push(await t.run('sync --debug'), await t.run('sync --debug', { GITLAB_TOKEN: `${TOKEN}\tx` }));
    t.gitlab.bend = null;
    t.gitlab.bank.addHook(3, WEBHOOK, '').alert_status = 'disabled';
    outputs.push(await t.run('sync --debug'), await t.run('delete --debug'));
    const told = outputs.map(({ output }) => output).join('') + JSON.stringify(t.receiver.reports);
    expect(told).toContain('GITLAB_TOKEN has characters');
    expect(told).not.toContain(TOKEN);
    expect(told).not.toContain(HOOK_SECRET);
    expect(told).not.toContain(new URL(t.sinkUrl).password);
  });
});
