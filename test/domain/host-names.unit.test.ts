/** The host names that our server answers to. */
import { expect, it } from 'vitest';
import { hostCheck } from '../../src/domain/host-names.ts';

const isKnown = hostCheck(['0.0.0.0', 'Sync.Example.org', '*.corp.example']);

it.each([
  'localhost',
  'LOCALHOST:8080',
  'app.localhost:8080',
  '127.0.0.1:8080',
  '10.88.0.7:8080',
  '[::1]:8080',
  '[2001:db8::7]',
  'api:8080',
  'syncrator-api.data.svc:80',
  'syncrator-api.data.svc.cluster.local',
  'sync.example.org',
  'SYNC.example.org.:443',
  'a.corp.example',
  'a.b.corp.example:8080',
])('%s is accepted: an address, unregistrable or configured', (host) => {
  expect(isKnown(host)).toBe(true);
});

it.each([
  'evil.example',
  'evil.example:8080',
  'sync.example.org.evil.example',
  'evilcorp.example',
  'corp.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'svc.evil.example',
  'evil-svc.example',
])('%s is refused, since anybody could register it', (host) => {
  expect(isKnown(host)).toBe(false);
});

it('`*` accepts every name', () => {
  expect(hostCheck(['*'])('evil.example')).toBe(true);
});
