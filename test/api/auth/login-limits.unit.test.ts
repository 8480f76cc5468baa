/** Guessing is slow, and a guesser locks out no known user; few checks of passwords run at once. */
import { describe, expect, test } from 'vitest';
import { Gate } from '../../../src/api/http/gate.ts';
import { GrowingDelay } from '../../../src/api/auth/growing-delay.ts';
import { deviceOf, makeDevice } from '../../../src/api/auth/known-device.ts';
import { LoginLimits, type Try } from '../../../src/api/auth/login-limits.ts';

describe('a growing delay', () => {
  const limits = { free: 3, mostMs: 10_000, forgetMs: 60_000 };
  test('the delay begins after the free attempts, doubles up to its limit, and is forgotten', () => {
    const delay = new GrowingDelay(limits);
    const waits = Array.from({ length: 7 }, () => {
      delay.begin('a', 0);
      return delay.wait('a', 0);
    });
    expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 10_000]);
    expect([delay.wait('a', 9_999), delay.wait('a', 10_000), delay.wait('b', 0)]).toEqual([1, 0, 0]);
    expect([delay.bad('a', 60_000), delay.bad('a', 60_001)]).toEqual([7, 0]);
    delay.begin('a', 70_000);
    expect(delay.wait('a', 70_000)).toBe(0);
  });

  test('a cancelled attempt does not count', () => {
    const delay = new GrowingDelay(limits);
    for (let i = 0; i < 100; i++) {
      delay.begin('a', 0);
      delay.takeBack('a');
    }
    expect([delay.bad('a', 0), delay.wait('a', 0)]).toEqual([0, 0]);
  });

  test('the number of remembered keys is limited', () => {
    const delay = new GrowingDelay(limits);
    for (let i = 0; i < 20_001; i++) delay.begin(`key ${i}`, 0);
    expect([delay.bad('key 0', 0), delay.bad('key 1', 0), delay.bad('key 20000', 0)]).toEqual([0, 1, 1]);
  });
});

describe('attempts with passwords', () => {
  const ada = (of: Partial<Try> = {}): Try => ({
    username: 'ada',
    network: 'home',
    device: undefined,
    ...of,
  });
  /** @returns whether the attempt was let through */
  const bad = async (limits: LoginLimits, one: Try) => typeof (await limits.begin(one)) !== 'number';
  const good = async (limits: LoginLimits, one: Try) => {
    const begun = await limits.begin(one);
    if (typeof begun === 'number') return false;
    await begun.good();
    return true;
  };
  const many = async (n: number, one: (i: number) => Promise<boolean>) => {
    const let_in = await Promise.all(Array.from({ length: n }, async (_, i) => await one(i)));
    return let_in.filter(Boolean).length;
  };

  test('good attempts do not count; of bad ones at once 20 are let through', async () => {
    const limits = new LoginLimits();
    for (let i = 0; i < 100; i++) expect(await good(limits, ada())).toBe(true);
    expect(await many(30, () => bad(limits, ada()))).toBe(20);
    expect(await limits.begin(ada())).toBeGreaterThanOrEqual(1);
  });

  test('attempts of strangers elsewhere, even from everywhere at once, lock no user out at home', async () => {
    const limits = new LoginLimits();
    await good(limits, ada());
    const through = await many(5_000, (i) => bad(limits, ada({ network: `elsewhere ${i}` })));
    expect(through).toBe(60);
    expect(await good(limits, ada({ network: 'elsewhere' }))).toBe(false);
    expect(await good(limits, ada())).toBe(true);
    expect(await good(limits, ada({ network: 'a train', device: 'her browser' }))).toBe(true);
  });

  test('attempts of a stranger in the same network lock out no known browser and no other user', async () => {
    const limits = new LoginLimits();
    await many(500, () => bad(limits, ada()));
    expect(await good(limits, ada())).toBe(false);
    expect(await good(limits, ada({ device: 'her browser' }))).toBe(true);
    expect(await good(limits, ada({ username: 'bob' }))).toBe(true);
  });

  test('attempts of one network under made-up names are stopped', async () => {
    const limits = new LoginLimits();
    await good(limits, ada());
    expect(await many(1_000, (i) => bad(limits, ada({ username: `name ${i}` })))).toBe(120);
    expect(await good(limits, ada({ username: 'bob' }))).toBe(false);
    expect(await good(limits, ada())).toBe(true);
    // A name that has failed there before is delayed earlier.
    const others = new LoginLimits();
    await bad(others, ada());
    await many(30, (i) => bad(others, ada({ username: `name ${i}` })));
    expect([await bad(others, ada()), await good(others, ada({ username: 'bob' }))]).toEqual([false, true]);
  });

  test('a known browser guesses no faster', async () => {
    const limits = new LoginLimits();
    expect(await many(100, () => bad(limits, ada({ device: 'a stolen cookie' })))).toBe(20);
  });
});

describe('the cookie of a browser', () => {
  const [NEW, OLD] = ['n'.repeat(32), 'o'.repeat(32)];
  const now = new Date();
  test('the cookie is valid for one user, for 90 days, and survives a change of secrets', () => {
    const cookie = makeDevice([OLD], 'ada', now);
    const of = { cookie, now };
    expect(deviceOf([NEW, OLD], 'ada', of)).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(deviceOf([NEW, OLD], 'bob', of)).toBeUndefined();
    expect(deviceOf([NEW], 'ada', of)).toBeUndefined();
    expect(
      deviceOf([OLD], 'ada', { cookie, now: new Date(now.getTime() + 91 * 86_400_000) }),
    ).toBeUndefined();
  });
  test.each(['', 'x', 'a.b.c', undefined])('%j is not a valid cookie', (cookie) => {
    expect(deviceOf([NEW], 'ada', { cookie, now })).toBeUndefined();
  });
});

test('the gate runs a few attempts, queues some, known devices first, and turns the rest away', async () => {
  const gate = new Gate({ atOnce: 2, mostWaiting: 3 });
  let [inside, most] = [0, 0];
  const order: number[] = [];
  const work = (n: number) => async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    order.push(n);
    if (n === 3) throw new Error('the third fails');
    return n;
  };
  const strangers = [1, 2, 3, 4, 5, 6].map((n) => gate.run(work(n), { isFirst: false }));
  const known = gate.run(work(7), { isFirst: true });
  const told = await Promise.allSettled([...strangers, known]);
  expect(most).toBe(2);
  expect(order).toEqual([1, 2, 7, 3, 4, 5]);
  expect(told.map((one) => (one.status === 'fulfilled' ? one.value?.result : 'failed'))).toEqual([
    1,
    2,
    'failed',
    4,
    5,
    undefined,
    7,
  ]);
  expect(await gate.run(work(8), { isFirst: false })).toEqual({ result: 8 });
});
