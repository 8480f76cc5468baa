import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { maskCredentials } from '../../src/domain/mask.ts';
import { shownUrl } from '../../src/job/mask.ts';
import { readSettings } from '../../src/job/settings.ts';
import { parseSettingsFile } from '../../src/job/settings-file.ts';

const complete = {
  SYNCRATOR_ENV: 'qas',
  SYNCRATOR_TARGET: 'cities',
  SOURCE: 'ndjson',
  SOURCE_URL: 'http://example.org/records',
  SINK: 'postgres',
  SINK_URL: 'postgres://user:pa%23ss@db/x',
  SINK_TABLE: 'cities',
};

describe('settings', () => {
  it('come from the environment', () => {
    expect(readSettings({ needsSource: true, environment: complete })).toEqual({
      source: { kind: 'ndjson-http', url: complete.SOURCE_URL },
      sink: { kind: 'postgres', url: complete.SINK_URL, table: 'cities' },
      maxDeletePercent: 10,
    });
  });

  it('come from the file before the environment', () => {
    const file = fileWith('# a comment\nSINK_TABLE=towns\nSINK_URL=postgres://u:a=b@db/x\n');
    const environment = { ...complete, SYNCRATOR_SETTINGS_FILE: file };
    expect(readSettings({ needsSource: true, environment }).sink).toEqual({
      kind: 'postgres',
      url: 'postgres://u:a=b@db/x',
      table: 'towns',
    });
  });

  it('of a Solr sink name its aliases by SOLR_APP, else by the target', () => {
    const solr = { SINK: 'solr', SOLR_URL: 'https://u:p@solr:2080/solr/' };
    const environment = { ...complete, ...solr };
    const sink = { kind: 'solr', url: solr.SOLR_URL, env: 'qas' };
    const read = (more: Record<string, string>) =>
      readSettings({ needsSource: true, environment: { ...environment, ...more } }).sink;
    expect(read({})).toEqual({ ...sink, app: { name: 'cities', key: 'SYNCRATOR_TARGET' } });
    expect(read({ SOLR_APP: 'towns' })).toEqual({ ...sink, app: { name: 'towns', key: 'SOLR_APP' } });
    expect(() => read({ SOLR_URL: 'postgres://db' })).toThrow(/SOLR_URL is no URL of http: or https:/);
    expect(() => read({ SOLR_APP: 'a,b' })).toThrow(/SOLR_APP is no name of an alias/);
  });

  it('need no source for a rollback', () => {
    const environment = { ...complete, SOURCE: undefined, SOURCE_URL: undefined };
    expect(readSettings({ needsSource: false, environment }).source).toBeNull();
  });

  it.each([
    ['SOURCE', undefined],
    ['SOURCE', 'oracle'],
    ['SOURCE_URL', undefined],
    ['SOURCE_URL', 'file:///etc/passwd'],
    ['SINK', ''],
    ['SINK', 'mongo'],
    ['SINK_URL', undefined],
    ['SINK_URL', 'nonsense'],
    ['SINK_TABLE', undefined],
    ['SINK_TABLE', 'cities"; DROP TABLE x; --'],
    ['SINK_TABLE', 'x'.repeat(52)],
    ['SYNCRATOR_MAX_DELETE_PERCENT', '101'],
    ['SYNCRATOR_MAX_DELETE_PERCENT', '-1'],
    ['SYNCRATOR_SETTINGS_FILE', '/nowhere/at/all.env'],
  ])('%s=%s is not configured, and says where to set it', (key, value) => {
    const environment = { ...complete, [key]: value };
    expect(() => readSettings({ needsSource: true, environment })).toThrow(
      expect.objectContaining({
        code: 'notConfigured',
        message: expect.stringMatching(new RegExp(`${key}.*syncrator-envtarget-qas-cities`)) as string,
      }),
    );
  });

  it('split at the first =, and take # for a comment only at the start of a line', () => {
    expect(parseSettingsFile('A=a#b=c\r\n\n#B=1\n C = x y \n')).toEqual({ A: 'a#b=c', C: 'x y' });
  });

  it.each(['novalue-and-secret', '1A=secret', 'A=1\nA=secret'])('refuse %j without repeating it', (text) => {
    expect(() => parseSettingsFile(text)).toThrow(/^line \d (is not KEY=value|repeats A)$/);
  });
});

describe('settings of an item bank', () => {
  const bank = {
    ...complete,
    SYNCRATOR_TARGET: 'item_bank',
    SOURCE: 'gitlab',
    SOLR_URL: 'http://solr.example.org:8983/solr',
    GITLAB_URL: 'https://git.example.org/gitlab/',
    GITLAB_TOKEN: 'glpat-secret',
    GITLAB_GROUP: '/assessments/items/',
  };

  it('need address, token and group', () => {
    expect(readSettings({ needsSource: true, environment: bank }).source).toEqual({
      kind: 'gitlab',
      url: 'https://git.example.org/gitlab',
      token: 'glpat-secret',
      group: 'assessments/items',
      itemFile: 'item.json',
      webhook: null,
      ignore: new Set(),
      timeoutMs: 30_000,
    });
  });

  it('may say more', () => {
    const more = {
      GITLAB_ITEM_FILE: 'content/item.json',
      GITLAB_WEBHOOK_URL: 'https://syncrator.example.org/hooks/gitlab',
      GITLAB_HOOK_SECRET: 'of the hook',
      GITLAB_IGNORE: ' 17, 203,',
      GITLAB_TIMEOUT: '120',
    };
    expect(readSettings({ needsSource: true, environment: { ...bank, ...more } }).source).toMatchObject({
      itemFile: 'content/item.json',
      webhook: { url: 'https://syncrator.example.org/hooks/gitlab', secret: 'of the hook' },
      ignore: new Set(['17', '203']),
      timeoutMs: 120_000,
    });
  });

  it.each([
    ['GITLAB_URL', undefined],
    ['GITLAB_URL', 'git.example.org'],
    ['GITLAB_URL', 'https://user:secret@git.example.org'],
    ['GITLAB_URL', 'https://git.example.org/?private_token=secret'],
    ['GITLAB_TOKEN', undefined],
    ['GITLAB_TOKEN', 'secret with a space'],
    ['GITLAB_GROUP', undefined],
    ['GITLAB_GROUP', '42'],
    ['GITLAB_GROUP', 'items?x'],
    ['SINK', 'solr'],
    ['GITLAB_IGNORE', '17;203'],
    ['GITLAB_TIMEOUT', '0'],
    ['GITLAB_WEBHOOK_URL', 'https://syncrator.example.org/hooks/gitlab'],
    ['GITLAB_HOOK_SECRET', 'of the hook, a secret'],
  ])('%s=%s is not configured, and says where to set it', (key, value) => {
    expect(() => readSettings({ needsSource: true, environment: { ...bank, [key]: value } })).toThrow(
      expect.objectContaining({
        code: 'notConfigured',
        message: expect.stringMatching(
          new RegExp(`^(?!.*secret)${key}.*syncrator-envtarget-qas-item_bank`),
        ) as string,
      }),
    );
  });
});

describe('masking', () => {
  it.each([
    ['postgres://user:pass@db/x', 'postgres://<FILTERED>@db/x'],
    ['a https://u:p@ss/w#o@h/p b', 'a https://<FILTERED>@h/p b'],
    ['http://h/p', 'http://h/p'],
  ])('%s', (text, shown) => expect(maskCredentials(text)).toBe(shown));

  it('drops the query, where tokens travel', () => {
    expect(shownUrl('https://u:p@h/p?private_token=1#x')).toBe('https://<FILTERED>@h/p');
  });
});

function fileWith(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-settings-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'settings.env');
  writeFileSync(file, text);
  return file;
}
