/** The settings of an OIDC issuer: what does not go together stops the start, by name. */
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

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

test('an issuer is beside our own login, or in its place', () => {
  expect(readConfig(base)).toMatchObject({ oidc: undefined, localLogin: true });
  const oidc = { issuer: issuer.OIDC_ISSUER, audience: 'syncrator', jwksUrl: undefined };
  expect(readConfig({ ...base, ...issuer })).toMatchObject({ oidc, localLogin: true });
  expect(readConfig({ ...base, ...issuer, LOCAL_LOGIN: 'false' })).toMatchObject({ oidc, localLogin: false });
  const here = { OIDC_ISSUER: 'http://127.0.0.1:8081/realms/data', OIDC_AUDIENCE: 'syncrator' };
  expect(readConfig({ ...base, ...here }).oidc?.issuer).toBe(here.OIDC_ISSUER);
});
