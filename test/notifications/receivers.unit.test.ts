/** NOTIFICATIONS_FILE: its valid contents, and errors that name the field and never a value. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadReceivers, receiversOf } from '../../src/notifications/receivers.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-receivers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const load = (text: string) => {
  const file = path.join(dir, 'receivers.yaml');
  writeFileSync(file, text);
  return loadReceivers(file);
};

test('without a file there are no receivers; a minimal receiver gets failures, missed schedules and losses', async () => {
  expect(await loadReceivers(undefined)).toEqual([]);
  const [one] = await load(`receivers: [{name: a, url: 'https://a.example/h', secret: ${SECRET}}]`);
  expect(one).toMatchObject({ format: 'generic', events: ['failed', 'freshness_missed', 'losses_waiting'] });
  expect(one?.secret).toEqual(Buffer.alloc(32, 7));
});

test('notices are chosen by event, environment and target', async () => {
  const receivers = await load(`receivers:
  - {name: all, url: 'https://a.example/h', format: slack, events: [started, failed]}
  - {name: prd, url: 'https://a.example/h', format: slack, envs: [prd], targets: [avo]}
`);
  const of = (event: 'started' | 'failed', env: string, target: string) =>
    receiversOf(receivers, { event, env, target }).map(({ name }) => name);
  expect(of('failed', 'prd', 'avo')).toEqual(['all', 'prd']);
  expect(of('started', 'prd', 'avo')).toEqual(['all']);
  expect(of('failed', 'qas', 'avo')).toEqual(['all']);
  expect(of('failed', 'prd', 'other')).toEqual(['all']);
});

test.each([
  ['receivers: [{name: a, url: https://secret.example/h}]', /receivers\.0\.secret is missing/],
  [`receivers: [{name: A, url: 'https://a.example', format: slack}]`, /receivers\.0\.name/],
  [`receivers: [{name: a, url: 'ftp://secret.example', format: slack}]`, /receivers\.0\.url/],
  [`receivers: [{name: a, url: 'https://a.example', secret: secret}]`, /receivers\.0\.secret must be whsec_/],
  [`receivers: [{name: a, url: 'https://a.example', format: slack, events: [ended]}]`, /events\.0/],
  [`receivers: [{name: a, url: 'https://a.example', format: slack, retries: 3}]`, /receivers\.0/],
  [
    `receivers: [{name: a, url: 'https://a.example', format: slack}, {name: a, url: 'https://b.example', format: slack}]`,
    /two have the same name/,
  ],
  ['receivers: [secret', /line \d+ is not YAML/],
  ['secret: 1', /receivers/],
])('%s is refused, and says where', async (text, where) => {
  const error = await load(text).catch((caught: unknown) => caught as Error);
  expect(error).toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(message).toMatch(where);
  expect(message).toContain('NOTIFICATIONS_FILE');
  expect(message).not.toContain('secret.example');
});

test('a missing file is named', async () => {
  await expect(loadReceivers(path.join(dir, 'none.yaml'))).rejects.toThrow(/none\.yaml cannot be read/);
});
