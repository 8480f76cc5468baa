/** What a role and its limits allow, and the words that tell what they do not. */
import { describe, expect, it } from 'vitest';
import { type Grant, grantOf, limitsOf, refusalOf, type Role, unlimited } from '../../src/domain/grant.ts';

const job = (env: string, action: string, action_name = action) => ({ env, action_name, action });

describe('a role', () => {
  it.each<[Role, Role, boolean]>([
    ['viewer', 'viewer', true],
    ['viewer', 'operator', false],
    ['viewer', 'admin', false],
    ['operator', 'viewer', true],
    ['operator', 'operator', true],
    ['operator', 'admin', false],
    ['admin', 'viewer', true],
    ['admin', 'operator', true],
    ['admin', 'admin', true],
  ])('%s is enough for %s: %s', (has, needs, enough) => {
    const refusal = refusalOf(unlimited(has), { role: needs });
    expect(refusal === undefined).toBe(enough);
    if (!enough)
      expect(refusal).toEqual({ words: `this needs the role ${needs}; yours is ${has}`, role: needs });
  });
});

describe('limits', () => {
  const limited = (envs: string[], actions: string[], role: Role = 'operator') =>
    grantOf(role, envs, actions);
  const wordsFor = (grant: Grant, of: Parameters<typeof refusalOf>[1]['of']) =>
    refusalOf(grant, { role: 'operator', of })?.words;

  it('of environments leave out all others', () => {
    const grant = limited(['qas', 'dev'], []);
    expect(wordsFor(grant, job('qas', 'sync'))).toBeUndefined();
    expect(wordsFor(grant, job('prd', 'sync'))).toBe(
      "this needs operator in env 'prd'; yours is limited to env qas, dev",
    );
    expect(refusalOf(grant, { role: 'operator', of: job('prd', 'sync') })?.outside).toEqual({ env: 'prd' });
  });

  it('of actions count for what a job is called by and for what it does', () => {
    const grant = limited([], ['delta']);
    expect(wordsFor(grant, job('prd', 'delta'))).toBeUndefined();
    const words = "this needs operator for the action 'sync'; yours is limited to action delta";
    expect(wordsFor(grant, job('prd', 'sync'))).toBe(words);
    expect(wordsFor(grant, job('prd', 'sync', 'delta'))).toBe(words);
    expect(wordsFor(grant, job('prd', 'delta', 'sync'))).toBe(words);
  });

  it('both have to be kept, and an admin has to as well', () => {
    const grant = limited(['qas'], ['delta'], 'admin');
    expect(wordsFor(grant, job('qas', 'delta'))).toBeUndefined();
    expect(wordsFor(grant, job('prd', 'delta'))).toContain("env 'prd'");
    expect(wordsFor(grant, job('qas', 'sync'))).toContain("action 'sync'");
  });

  it('of any kind leave out what concerns everything', () => {
    for (const grant of [limited(['qas'], [], 'admin'), limited([], ['delta'], 'admin')])
      expect(wordsFor(grant, 'everything')).toContain('this concerns every environment');
    expect(wordsFor(unlimited('admin'), 'everything')).toBeUndefined();
  });

  it('say nothing where nothing is touched, and are told after the role', () => {
    expect(wordsFor(limited(['qas'], []), undefined)).toBeUndefined();
    expect(refusalOf(limited(['qas'], []), { role: 'admin', of: job('prd', 'sync') })?.words).toContain(
      'the role admin',
    );
  });

  it('are none where none are given, each once, and never of a viewer or of what is no name', () => {
    expect(limited([], [])).toEqual(unlimited('operator'));
    expect(limited(['qas', 'qas'], ['SET_STATUS'])).toEqual({
      role: 'operator',
      envs: ['qas'],
      actions: ['SET_STATUS'],
    });
    expect(limitsOf(limited(['qas', 'dev'], ['delta']))).toBe('env qas, dev; action delta');
    expect(limitsOf(unlimited('admin'))).toBeNull();
    expect(() => limited(['qas'], [], 'viewer')).toThrow('a viewer only looks');
    expect(() => limited(['q/s'], [])).toThrow("'q/s' is no name of an environment");
    expect(() => limited([], ['del ta'])).toThrow("'del ta' is no name of an action");
  });
});
