/** `syncrator connector discover` as people run it, with a stand-in of a connector. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commandLine } from '../cli/support.ts';
import { drop, settingsOf } from '../job/sources/connector/support/open.ts';

function place(config: Record<string, unknown>, more: Record<string, string> = {}) {
  const folder = drop();
  const { CONNECTOR_STREAM: _, ...settings } = settingsOf({ ...folder.records([]), ...config }, more);
  mkdirSync(folder.path('data/envtarget'), { recursive: true });
  const file = folder.path('data/envtarget/dev-shop.env');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const { syncrator } = commandLine({ home: folder.path('.'), url: () => undefined });
  const environment = { JOB_PARAMS: folder.path('job_params'), SYNCRATOR_DATA: folder.path('data') };
  const discover = (...words: string[]) =>
    syncrator(['connector', 'discover', 'shop', 'dev', ...words], { environment });
  return { folder, discover };
}

test('it shows the fields of the config and the streams, for people and for programs', async () => {
  const { discover } = place({});
  const people = await discover();
  expect(people.code).toBe(0);
  expect(people.stdout).toMatch(/^records +string +required$/m);
  expect(people.stdout).toMatch(/^places +id$/m);
  expect(people.stdout).toMatch(/^public\.other +none: set SOURCE_ID$/m);
  const programs = await discover('--output', 'json');
  expect(JSON.parse(programs.stdout)).toMatchObject({
    protocol: 'airbyte',
    spec: { required: ['records'] },
    streams: [
      { stream: 'places', primary_key: ['id'] },
      { stream: 'public.other', primary_key: null },
    ],
  });
});

test('it prints what a target with a stream needs, and writes params files that do not exist', async () => {
  const { folder, discover } = place({});
  const sync = path.join('job_params', 'dev', 'shop-sync.public_params');
  const printed = await discover('--stream', 'public.other');
  expect(printed.stdout).toContain('CONNECTOR_STREAM=public.other\n');
  expect(printed.stdout).toContain('SOURCE_ID=');
  expect(existsSync(folder.path(sync))).toBe(false);
  const written = await discover('--stream', 'places', '--write');
  expect([written.code, written.stdout]).toEqual([0, expect.not.stringContaining('SOURCE_ID=')]);
  expect(readFileSync(folder.path(sync), 'utf8')).toContain('ACTION=sync\n');
  writeFileSync(folder.path(sync), 'mine');
  await discover('--stream', 'places', '--write');
  expect(readFileSync(folder.path(sync), 'utf8')).toBe('mine');
  const { syncrator } = commandLine({ home: folder.path('.'), url: () => undefined });
  writeFileSync(
    folder.path(sync),
    printed.stdout.slice(printed.stdout.indexOf('\n') + 1, printed.stdout.indexOf('\n\n')),
  );
  const checked = await syncrator(['params', 'check', folder.path('job_params')]);
  expect([checked.code, checked.stderr]).toEqual([0, '']);
});

test('it reads the streams of a Singer tap', async () => {
  const { discover } = place({}, { CONNECTOR_PROTOCOL: 'singer' });
  expect((await discover()).stdout).toMatch(/^public-places +id$/m);
});

test('it names the reason if a connector cannot be asked, and shows no secret', async () => {
  const { discover } = place({ fault: 'refused', secret: 'Zebra"crossing/9' });
  const refused = await discover();
  expect(refused.code).not.toBe(0);
  expect(refused.stdout).toMatch(/^records +string +required$/m);
  expect(refused.stderr).toContain('the check of node failed');
  expect(refused.stdout + refused.stderr).not.toMatch(/Zebra|crossing/);
  const unknown = await place({}).discover('--stream', 'plces');
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('did you mean places?')]);
  const other = await place({}, { SOURCE: 'files' }).discover();
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('SOURCE=files')]);
});
