/** The settings of an OIDC issuer: contradicting ones stop the start, and are named. */
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';

const base = {
  DATABASE_URL: 'postgres://u:p@127.0.0.1/db',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  SYNCRATOR_SECRET: 'a secret of at least thirty-two characters',
};
const issuer = { OIDC_ISSUER: 'https://login.example.org/realms/data', OIDC_AUDIENCE: 'syncrator' };

test.each<[string, Record<string, string>]>([
  ['LOCAL_LOGIN is false', { LOCAL_LOGIN: 'false' }],
  ['LOCAL_LOGIN', { LOCAL_LOGIN: 'no', ...issuer }],
  ['OIDC_AUDIENCE is not set', { OIDC_ISSUER: issuer.OIDC_ISSUER }],
  ['OIDC_AUDIENCE needs OIDC_ISSUER', { OIDC_AUDIENCE: 'syncrator' }],
  ['JWKS_URL needs OIDC_ISSUER', { JWKS_URL: 'https://login.example.org/keys' }],
  ['OIDC_ISSUER must be https', { ...issuer, OIDC_ISSUER: 'http://login.example.org' }],
  ['OIDC_ISSUER must be https', { ...issuer, OIDC_ISSUER: 'https://user:password@login.example.org' }],
  ['JWKS_URL must be https', { ...issuer, JWKS_URL: 'file:///etc/passwd' }],
])('%s', (words, settings) => {
  expect(() => readConfig({ ...base, ...settings })).toThrow(words);
  expect(() => readConfig({ ...base, ...settings })).not.toThrow('password');
});

test('an issuer works beside the local login, or replaces it', () => {
  expect(readConfig(base)).toMatchObject({ oidc: undefined, localLogin: true });
  const oidc = { issuer: issuer.OIDC_ISSUER, audience: 'syncrator', jwksUrl: undefined };
  expect(readConfig({ ...base, ...issuer })).toMatchObject({ oidc, localLogin: true });
  expect(readConfig({ ...base, ...issuer, LOCAL_LOGIN: 'false' })).toMatchObject({ oidc, localLogin: false });
  const here = { OIDC_ISSUER: 'http://127.0.0.1:8081/realms/data', OIDC_AUDIENCE: 'syncrator' };
  expect(readConfig({ ...base, ...here }).oidc?.issuer).toBe(here.OIDC_ISSUER);
});

test.each<[string, Record<string, string>]>([
  ['OIDC_ROLES needs OIDC_ISSUER', { OIDC_ROLES: 'staff=operator' }],
  ['OIDC_ROLE_CLAIM needs OIDC_ISSUER', { OIDC_ROLE_CLAIM: 'groups' }],
  ['OIDC_DEFAULT_ROLE needs OIDC_ISSUER', { OIDC_DEFAULT_ROLE: 'admin' }],
  ['OIDC_TYP needs OIDC_ISSUER', { OIDC_TYP: 'at+jwt' }],
  ['OIDC_MAX_AGE needs OIDC_ISSUER', { OIDC_MAX_AGE: '1h' }],
  ['OIDC_MAX_AGE needs OIDC_ISSUER', { OIDC_MAX_AGE: 'off' }],
  ['OIDC_MAX_AGE must be a number of hours', { ...issuer, OIDC_MAX_AGE: '90' }],
  ['OIDC_DEFAULT_ROLE', { ...issuer, OIDC_DEFAULT_ROLE: 'root' }],
  ["OIDC_ROLES 'staff' is not <value>=<role>", { ...issuer, OIDC_ROLES: 'staff' }],
  ["'staff=root' is not", { ...issuer, OIDC_ROLES: 'boss=admin,staff=root' }],
  ["'=admin' is not", { ...issuer, OIDC_ROLES: '=admin' }],
  ["'a=operator:qas:delta:x' is not", { ...issuer, OIDC_ROLES: 'a=operator:qas:delta:x' }],
  ["has 'staff' twice", { ...issuer, OIDC_ROLES: 'staff=viewer,staff=admin' }],
  ['a viewer cannot be limited', { ...issuer, OIDC_ROLES: 'staff=viewer:qas' }],
  ["'q s' is not a valid environment", { ...issuer, OIDC_ROLES: 'staff=operator:q s' }],
])('%s', (words, settings) => {
  expect(() => readConfig({ ...base, ...settings })).toThrow(words);
});

test('roles of the issuer are mapped to ours, with limits; a user without a mapped role may read', () => {
  const oidc = (more: Record<string, string>) => readConfig({ ...base, ...issuer, ...more }).oidc;
  expect(oidc({})).toMatchObject({
    roleClaims: ['accreditation/role', 'role'],
    roles: [],
    otherwise: { role: 'viewer', envs: null, actions: null },
  });
  const roles =
    'role/dataadministrator=admin, cn=staff=operator,urn:etl=operator:qas+dev:delta,x=operator::delete';
  expect(oidc({ OIDC_ROLES: roles, OIDC_ROLE_CLAIM: 'groups, roles' })).toMatchObject({
    roleClaims: ['groups', 'roles'],
    roles: [
      { value: 'role/dataadministrator', grant: { role: 'admin', envs: null, actions: null } },
      { value: 'cn=staff', grant: { role: 'operator', envs: null, actions: null } },
      { value: 'urn:etl', grant: { role: 'operator', envs: ['qas', 'dev'], actions: ['delta'] } },
      { value: 'x', grant: { role: 'operator', envs: null, actions: ['delete'] } },
    ],
  });
  expect(oidc({ OIDC_DEFAULT_ROLE: 'none' })?.otherwise).toBeUndefined();
  expect(oidc({})).toMatchObject({ maxAgeSeconds: 86_400, typ: undefined });
  expect(oidc({ OIDC_MAX_AGE: '12h', OIDC_TYP: 'at+jwt' })).toMatchObject({
    maxAgeSeconds: 43_200,
    typ: 'at+jwt',
  });
  expect(oidc({ OIDC_MAX_AGE: 'off' })?.maxAgeSeconds).toBeUndefined();
});
