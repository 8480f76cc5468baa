/** The rights of a role with limits, and the words of a denial. */
import { describe, expect, it } from 'vitest';
import {
  FORCE_DELETE,
  type Grant,
  grantOf,
  limitsOf,
  requirementOf,
  denialReason,
  type Role,
  unlimited,
} from '../../src/domain/permission.ts';

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
    const refusal = denialReason(unlimited(has), { role: needs });
    expect(refusal === undefined).toBe(enough);
    if (!enough)
      expect(refusal).toEqual({ words: `this needs the role ${needs}; yours is ${has}`, role: needs });
  });
});

describe('limits', () => {
  const limited = (envs: string[], actions: string[], role: Role = 'operator') =>
    grantOf(role, envs, actions);
  const wordsFor = (grant: Grant, of: Parameters<typeof denialReason>[1]['of']) =>
    denialReason(grant, { role: 'operator', of })?.words;

  it('limits of environments exclude all other environments', () => {
    const grant = limited(['qas', 'dev'], []);
    expect(wordsFor(grant, job('qas', 'sync'))).toBeUndefined();
    expect(wordsFor(grant, job('prd', 'sync'))).toBe(
      "this needs operator in env 'prd'; yours is limited to env qas, dev",
    );
    expect(denialReason(grant, { role: 'operator', of: job('prd', 'sync') })?.outside).toEqual({
      env: 'prd',
    });
  });

  it('limits of actions apply to the alias of a job and to what it runs', () => {
    const grant = limited([], ['delta']);
    expect(wordsFor(grant, job('prd', 'delta'))).toBeUndefined();
    const words = "this needs operator for the action 'sync'; yours is limited to action delta";
    expect(wordsFor(grant, job('prd', 'sync'))).toBe(words);
    expect(wordsFor(grant, job('prd', 'sync', 'delta'))).toBe(words);
    expect(wordsFor(grant, job('prd', 'delta', 'sync'))).toBe(words);
  });

  it('both kinds of limits apply, also to an admin', () => {
    const grant = limited(['qas'], ['delta'], 'admin');
    expect(wordsFor(grant, job('qas', 'delta'))).toBeUndefined();
    expect(wordsFor(grant, job('prd', 'delta'))).toContain("env 'prd'");
    expect(wordsFor(grant, job('qas', 'sync'))).toContain("action 'sync'");
  });

  it('a grant with any limit excludes what concerns everything', () => {
    for (const grant of [limited(['qas'], [], 'admin'), limited([], ['delta'], 'admin')])
      expect(wordsFor(grant, 'everything')).toContain('this concerns every environment');
    expect(wordsFor(unlimited('admin'), 'everything')).toBeUndefined();
  });

  it('limits do not apply if no job is touched, and are named after the role', () => {
    expect(wordsFor(limited(['qas'], []), undefined)).toBeUndefined();
    expect(denialReason(limited(['qas'], []), { role: 'admin', of: job('prd', 'sync') })?.words).toContain(
      'the role admin',
    );
  });

  it('empty lists mean no limits, repeated names count once, and viewers and invalid names are refused', () => {
    expect(limited([], [])).toEqual(unlimited('operator'));
    expect(limited(['qas', 'qas'], ['SET_STATUS'])).toEqual({
      role: 'operator',
      envs: ['qas'],
      actions: ['SET_STATUS'],
    });
    expect(limitsOf(limited(['qas', 'dev'], ['delta']))).toBe('env qas, dev; action delta');
    expect(limitsOf(unlimited('admin'))).toBeNull();
    expect(() => limited(['qas'], [], 'viewer')).toThrow('a viewer cannot be limited');
    expect(() => limited(['q/s'], [])).toThrow("'q/s' is not a valid environment");
    expect(() => limited([], ['del ta'])).toThrow("'del ta' is not a valid action");
  });
});

describe('lifting the guard', () => {
  const forced = (by: 'caller' | 'params_file', options = '--force-delete', action = 'delete') =>
    requirementOf(
      {
        env: 'prd',
        parameters: { action_name: action, action, is_tag: 'latest', options, mam_main_query: null },
      },
      by,
    );

  it.each<[string, Grant, boolean]>([
    ['an admin', unlimited('admin'), true],
    ['an admin of this environment', grantOf('admin', ['prd'], []), true],
    ['an admin of some actions', grantOf('admin', [], ['delete']), false],
    ['an operator', unlimited('operator'), false],
    ['an operator of this action', grantOf('operator', [], ['delete']), false],
    ['an operator with the right', grantOf('operator', [], ['delete', FORCE_DELETE]), true],
    ['the right for another action alone', grantOf('operator', [], ['sync', FORCE_DELETE]), false],
    ['the right in another environment', grantOf('operator', ['qas'], ['delete', FORCE_DELETE]), false],
  ])('%s: %o %s', (_, grant, may) => {
    expect(denialReason(grant, forced('caller')) === undefined).toBe(may);
  });

  it('is refused with the name of the right', () => {
    expect(denialReason(unlimited('operator'), forced('caller'))).toEqual({
      words:
        '--force-delete needs the right force-delete: an admin without limited actions has it, and so has a grant with ' +
        'force-delete among its actions; yours is operator',
      role: 'operator',
      outside: { action: 'force-delete' },
    });
  });

  it('needs no right if a params file says so, nor do other options', () => {
    expect(denialReason(unlimited('operator'), forced('params_file'))).toBeUndefined();
    expect(denialReason(unlimited('operator'), forced('caller', '-n 5'))).toBeUndefined();
  });

  it('a take-over needs an admin, however it is requested', () => {
    for (const by of ['caller', 'params_file'] as const)
      expect(denialReason(unlimited('operator'), forced(by, '', 'take-over'))?.role).toBe('admin');
  });
});

it('a role that may start an action may plan it and apply its plan', () => {
  const wordsOf = (actions: string[], of: ReturnType<typeof job>) =>
    denialReason(grantOf('operator', [], actions), { role: 'operator', of })?.words;
  for (const action of ['plan', 'apply']) {
    expect(wordsOf(['sync'], job('prd', action, `${action}-sync`))).toBeUndefined();
    expect(wordsOf(['delta', action], job('prd', action, `${action}-sync`))).toContain("action 'sync'");
    // Another program's own action, by whatever name.
    expect(wordsOf(['sync'], job('prd', action, action))).toContain(`action '${action}'`);
    expect(wordsOf(['sync'], job('prd', 'full', `${action}-sync`))).toContain(`action '${action}-sync'`);
  }
});

it('a role that may roll back may preview it', () => {
  const preview = job('prd', 'rollback', 'rollback-preview');
  const wordsOf = (actions: string[]) =>
    denialReason(grantOf('operator', [], actions), { role: 'operator', of: preview })?.words;
  expect(wordsOf(['rollback'])).toBeUndefined();
  expect(wordsOf(['sync'])).toContain("action 'rollback'");
});
