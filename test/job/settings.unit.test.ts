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

const postgresSink = {
  kind: 'postgres',
  url: complete.SINK_URL,
  schema: null,
  table: 'cities',
  stateSchema: 'syncrator',
  acceptAllTables: false,
  allowCascade: false,
  keepChangesMs: 30 * 86_400_000,
  keepChangesBytes: null,
};

describe('the settings', () => {
  it('are read from the environment', () => {
    expect(readSettings({ needsSource: true, environment: complete })).toEqual({
      source: { kind: 'ndjson-http', url: complete.SOURCE_URL },
      sink: postgresSink,
      fields: null,
      canaries: [],
      maxDeletePercent: 10,
      maxDeleteRecords: 5,
      maxUpdatePercent: null,
      maxRejected: 0,
      baseline: 'watch',
      watermarkMarginMs: 3_600_000,
    });
  });

  const table = { SOURCE: 'sql', SOURCE_URL: 'postgres://u@db/x', SOURCE_TABLE: 'cities', SOURCE_ID: 'id' };
  const files = { SOURCE: 'files', SOURCE_URL: '', SOURCE_PATH: '/drop/cities.csv', SOURCE_ID: 'id' };
  it.each([
    ['sql', 'solr', { ...table, SINK: 'solr', SOLR_URL: 'http://solr:8983/solr' }],
    ['sql', 'opensearch', { ...table, SINK: 'opensearch', SINK_URL: 'http://os:9200', SINK_INDEX: 'cities' }],
    ['files', 'solr', { ...files, SINK: 'solr', SOLR_URL: 'http://solr:8983/solr' }],
    [
      'files',
      'opensearch',
      { ...files, SINK: 'opensearch', SINK_URL: 'http://os:9200', SINK_INDEX: 'cities' },
    ],
  ])('of %s need SOURCE_UPDATED_AT for %s, which compares by time', (_source, sink, more) => {
    const environment = { ...complete, ...more };
    expect(() => readSettings({ needsSource: true, environment })).toThrow(
      `SOURCE_UPDATED_AT is missing: SINK=${sink} finds changed records by their time`,
    );
    const timed = { ...environment, SOURCE_UPDATED_AT: 'changed' };
    expect(readSettings({ needsSource: true, environment: timed }).sink.kind).toBe(sink);
  });

  it('are read from the settings file before the environment', () => {
    const file = fileWith('# a comment\nSINK_TABLE=towns\nSINK_URL=postgres://u:a=b@db/x\n');
    const environment = { ...complete, SYNCRATOR_SETTINGS_FILE: file };
    expect(readSettings({ needsSource: true, environment }).sink).toEqual({
      ...postgresSink,
      url: 'postgres://u:a=b@db/x',
      table: 'towns',
    });
  });

  it.for([
    [
      'is absent',
      undefined,
      /^the settings file \S+ does not exist; create it with the settings of source and sink$/,
    ],
    ['has a broken line', 'A', /^cannot read the settings file \S+: line 1 is not KEY=value; correct it$/],
  ] as const)('a settings file that %s is named with the fix', ([, text, message]) => {
    const file = text === undefined ? '/nowhere/at-all.env' : fileWith(text);
    const environment = { ...complete, SYNCRATOR_SETTINGS_FILE: file };
    expect(() => readSettings({ needsSource: true, environment })).toThrow(message);
  });

  it('include limits and retention', () => {
    const more = {
      MAX_REJECTED: '5',
      WATERMARK_MARGIN: '15m',
      SYNCRATOR_MAX_DELETE_RECORDS: '0',
      SYNCRATOR_MAX_UPDATE_PERCENT: '12.5',
      SINK_TABLE: 'geo.cities',
      SINK_STATE_SCHEMA: 'ours',
      SINK_ALL_TABLES: 'accept',
      SINK_CASCADE: 'allow',
      KEEP_CHANGES: '36h',
      KEEP_CHANGES_SIZE: '20GiB',
    };
    expect(readSettings({ needsSource: true, environment: { ...complete, ...more } })).toMatchObject({
      sink: {
        schema: 'geo',
        table: 'cities',
        stateSchema: 'ours',
        acceptAllTables: true,
        allowCascade: true,
        keepChangesMs: 36 * 3_600_000,
        keepChangesBytes: 20 * 1024 ** 3,
      },
      maxDeleteRecords: 0,
      maxUpdatePercent: 12.5,
      maxRejected: 5,
      baseline: 'watch',
      watermarkMarginMs: 900_000,
    });
  });

  it('may name a file instead of an address, and whether it is renamed into place', () => {
    const source = (more: Record<string, string>) =>
      readSettings({
        needsSource: true,
        environment: { ...complete, SOURCE_URL: '', SOURCE_FILE: '/a.ndjson', ...more },
      }).source;
    const file = { kind: 'ndjson-file', path: '/a.ndjson' };
    expect(source({})).toEqual({ ...file, renamedIntoPlace: false });
    expect(source({ SOURCE_FILE_COMPLETE: 'true' })).toEqual({ ...file, renamedIntoPlace: true });
    expect(() => source({ SOURCE_URL: 'http://a' })).toThrow(/SOURCE_URL and SOURCE_FILE are both set/);
    expect(() => source({ SOURCE_FILE: '' })).toThrow(/^SOURCE_URL \(or SOURCE_FILE\) is missing/);
  });

  it.each([
    ['postgres://u@h/d', 'postgres://u@h/d'],
    ['postgres://u@h?dbname=d', 'postgres://u@h/d'],
    ['postgres://u@h/?dbname=d&sslmode=require', 'postgres://u@h/d?sslmode=require'],
    ['postgres:///d?host=/run/postgresql', 'postgres:///d?host=/run/postgresql'],
  ])('accept the database URL %s', (SINK_URL, url) => {
    const environment = { ...complete, SINK_URL };
    expect(readSettings({ needsSource: true, environment }).sink).toMatchObject({ url });
  });

  it.each([
    ['postgres://user:secret@db', /^SINK_URL names no database/],
    ['postgres://user:secret@db/', /^SINK_URL names no database/],
    ['postgres://user:secret@db?dbname=', /^SINK_URL names no database/],
    ['postgres:///d', /^SINK_URL names no host/],
  ])('reject the incomplete database URL %s without showing the password', (SINK_URL, words) => {
    const read = () => readSettings({ needsSource: true, environment: { ...complete, SINK_URL } });
    expect(read).toThrow(expect.objectContaining({ code: 'notConfigured' }));
    expect(read).toThrow(words);
    expect(read).not.toThrow(/secret/);
  });

  it.each([
    ['a settings file', { SYNCRATOR_SETTINGS_FILE: 'FILE' }, 'FILE'],
    [
      'Kubernetes',
      { KUBERNETES_SERVICE_HOST: '10.0.0.1', SYNCRATOR_TARGET: 'item_bank' },
      'Secret or ConfigMap syncrator-envtarget-qas-item-bank',
    ],
    ['the program alone', {}, 'the environment'],
  ])('name the place where an operator sets them: %s', (_, more, place) => {
    const file = fileWith('SINK=postgres\n');
    const here = 'SYNCRATOR_SETTINGS_FILE' in more ? { SYNCRATOR_SETTINGS_FILE: file } : more;
    const environment = { ...complete, SINK_TABLE: '', ...here };
    expect(() => readSettings({ needsSource: true, environment })).toThrow(
      `SINK_TABLE is missing; set it in ${place.replace('FILE', file)}`,
    );
  });

  it('of an OpenSearch sink name the alias, and index no more than id and time', () => {
    const sink = { SINK: 'opensearch', SINK_URL: 'https://u:p@search:9200/', SINK_INDEX: 'cities-2' };
    const read = (more: Record<string, string>) =>
      readSettings({ needsSource: true, environment: { ...complete, ...sink, ...more } }).sink;
    const properties = { id: { type: 'keyword' }, updated_at: { type: 'date' } };
    expect(read({})).toEqual({
      kind: 'opensearch',
      url: sink.SINK_URL,
      alias: 'cities-2',
      body: { settings: {}, mappings: { dynamic: false, properties } },
      keepChangesMs: 30 * 86_400_000,
    });
    expect(read({ KEEP_CHANGES: '2d' })).toMatchObject({ keepChangesMs: 2 * 86_400_000 });
    expect(() => read({ KEEP_CHANGES: 'long' })).toThrow(/^KEEP_CHANGES is not a duration/);
    expect(() => read({ SINK_URL: 'postgres://db' })).toThrow(/SINK_URL is not a URL that begins with http:/);
    for (const name of ['', 'Cities', 'a,b', '-a', 'a*', 'a'.repeat(151), 'syncrator-state'])
      expect(() => read({ SINK_INDEX: name }), name).toThrow(/^SINK_INDEX is /);
  });

  it('of a Solr sink name its aliases by SOLR_APP or else by the target', () => {
    const solr = { SINK: 'solr', SOLR_URL: 'https://u:p@solr:2080/solr/' };
    const environment = { ...complete, ...solr };
    const sink = { kind: 'solr', url: solr.SOLR_URL, env: 'qas', keepChangesMs: 30 * 86_400_000 };
    const read = (more: Record<string, string>) =>
      readSettings({ needsSource: true, environment: { ...environment, ...more } }).sink;
    expect(read({})).toEqual({ ...sink, app: { name: 'cities', key: 'SYNCRATOR_TARGET' } });
    expect(read({ SOLR_APP: 'towns' })).toEqual({ ...sink, app: { name: 'towns', key: 'SOLR_APP' } });
    expect(() => read({ SOLR_URL: 'postgres://db' })).toThrow(
      /SOLR_URL is not a URL that begins with http: or https:/,
    );
    expect(() => read({ SOLR_APP: 'a,b' })).toThrow(/SOLR_APP is not a valid alias name/);
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
    ['SINK_TABLE', 'x'.repeat(64)],
    ['SINK_TABLE', 'a.b.c'],
    ['SINK_TABLE', 'syncrator.cities'],
    ['SINK_STATE_SCHEMA', 'pg_ours'],
    ['SINK_ALL_TABLES', 'true'],
    ['SINK_CASCADE', 'yes'],
    ['KEEP_CHANGES', '30'],
    ['KEEP_CHANGES_SIZE', '2GB'],
    ['MAX_REJECTED', '-1'],
    ['MAX_REJECTED', '1001'],
    ['WATERMARK_MARGIN', '1w'],
    ['SYNCRATOR_MAX_DELETE_RECORDS', '1.5'],
    ['SYNCRATOR_MAX_UPDATE_PERCENT', '101'],
    ['SYNCRATOR_MAX_DELETE_PERCENT', '101'],
    ['SYNCRATOR_MAX_DELETE_PERCENT', '-1'],
  ])('reject %s=%s and say where to set it', (key, value) => {
    const environment = { ...complete, [key]: value };
    expect(() => readSettings({ needsSource: true, environment })).toThrow(
      expect.objectContaining({
        code: 'notConfigured',
        message: expect.stringMatching(new RegExp(`${key}.*; set it in `)) as string,
      }),
    );
  });

  it('are split at the first =, and # begins a comment only at the start of a line', () => {
    expect(parseSettingsFile('A=a#b=c\r\n\n#B=1\n C = x y \n')).toEqual({ A: 'a#b=c', C: 'x y' });
  });

  it.each(['novalue-and-secret', '1A=secret', 'A=1\nA=secret'])('reject %j without repeating it', (text) => {
    expect(() => parseSettingsFile(text)).toThrow(/^line \d (is not KEY=value|repeats A)$/);
  });
});

describe('the settings of an item bank', () => {
  const bank = {
    ...complete,
    SYNCRATOR_TARGET: 'item_bank',
    SOURCE: 'gitlab',
    SOLR_URL: 'http://solr.example.org:8983/solr',
    GITLAB_URL: 'https://git.example.org/gitlab/',
    GITLAB_TOKEN: 'glpat-secret',
    GITLAB_GROUP: '/assessments/items/',
  };

  it('require address, token and group', () => {
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

  it('accept optional values', () => {
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
  ])('reject %s=%s and say where to set it', (key, value) => {
    expect(() => readSettings({ needsSource: true, environment: { ...bank, [key]: value } })).toThrow(
      expect.objectContaining({
        code: 'notConfigured',
        message: expect.stringMatching(new RegExp(`^(?!.*secret)${key}.*; set it in `)) as string,
      }),
    );
  });
});

describe('masking of credentials', () => {
  it.each([
    ['postgres://user:pass@db/x', 'postgres://<FILTERED>@db/x'],
    ['a https://u:p@ss/w#o@h/p b', 'a https://<FILTERED>@h/p b'],
    ['http://h/p', 'http://h/p'],
  ])('%s', (text, shown) => expect(maskCredentials(text)).toBe(shown));

  it('drops the query, which may contain tokens', () => {
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
