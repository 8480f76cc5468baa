import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../../src/job/settings.ts';
import { drop } from './support/open.ts';

const SECRET = 'Zebra-crossing-9';
const complete = {
  SOURCE: 'connector',
  CONNECTOR: '/opt/shop/bin/source-shop --strict',
  CONNECTOR_CONFIG: `{"api_key": "${SECRET}"}`,
  CONNECTOR_STREAM: 'orders',
  SINK: 'postgres',
  SINK_URL: 'postgres://user:hush@db/x',
  SINK_TABLE: 'records',
};
const SOLR = { SINK: 'solr', SOLR_URL: 'http://solr:8983/solr' };

const read = (more: Record<string, string> = {}) =>
  readSettings({ needsSource: true, environment: { ...complete, ...more } }).source;

describe('the settings of source connector', () => {
  it('name a program, its config and a stream', () => {
    const plain = {
      kind: 'connector',
      protocol: 'airbyte',
      command: ['/opt/shop/bin/source-shop', '--strict'],
      manifest: null,
      config: { api_key: SECRET },
      silenceMs: 600_000,
      stream: 'orders',
      id: null,
      updatedAt: null,
      exitProves: false,
    };
    expect(read()).toEqual(plain);
    const more = { SOURCE_ID: 'shop, number', SOURCE_UPDATED_AT: 'changed', CONNECTOR_SILENCE: '90s' };
    const tap = { CONNECTOR_PROTOCOL: 'singer', CONNECTOR_EXIT_COMPLETE: 'true' };
    expect(read({ ...more, ...tap })).toEqual({
      ...plain,
      protocol: 'singer',
      silenceMs: 90_000,
      id: ['shop', 'number'],
      updatedAt: 'changed',
      exitProves: true,
    });
  });

  it('take the config from a file, and a manifest without a program', () => {
    const folder = drop();
    const [CONNECTOR_CONFIG, CONNECTOR_MANIFEST] = [folder.path('config.json'), folder.path('shop.yaml')];
    writeFileSync(CONNECTOR_CONFIG, '{"api_key": "from the file"}\n');
    writeFileSync(CONNECTOR_MANIFEST, 'version: 6.0.0\n');
    expect(read({ CONNECTOR: '', CONNECTOR_CONFIG, CONNECTOR_MANIFEST })).toMatchObject({
      command: ['source-declarative-manifest'],
      manifest: CONNECTOR_MANIFEST,
      config: { api_key: 'from the file' },
    });
  });

  it('take a config with a byte order mark, and all digits of its numbers', () => {
    const CONNECTOR_CONFIG = drop().path('config.json');
    writeFileSync(CONNECTOR_CONFIG, '\uFEFF{"account": 12345678901234567890}');
    const { source } = readSettings({ needsSource: true, environment: { ...complete, CONNECTOR_CONFIG } });
    expect(JSON.stringify(source?.kind === 'connector' && source.config)).toBe(
      '{"account":12345678901234567890}',
    );
  });

  it.each([
    [{ CONNECTOR: '' }, 'CONNECTOR is missing'],
    [{ CONNECTOR_STREAM: '' }, 'CONNECTOR_STREAM is missing'],
    [{ CONNECTOR_PROTOCOL: 'soap' }, 'CONNECTOR_PROTOCOL=soap is unknown (known: airbyte, singer)'],
    [{ CONNECTOR_EXIT_COMPLETE: 'true' }, 'CONNECTOR_EXIT_COMPLETE needs CONNECTOR_PROTOCOL=singer'],
    [{ CONNECTOR_MANIFEST: 'shop.yaml' }, 'CONNECTOR_MANIFEST is not an absolute path'],
    [{ CONNECTOR_MANIFEST: '/no/shop.yaml' }, 'CONNECTOR_MANIFEST: the file /no/shop.yaml does not exist'],
    [{ CONNECTOR_MANIFEST: '/x', CONNECTOR_PROTOCOL: 'singer' }, 'a Singer tap takes no manifest'],
    [{ CONNECTOR_SILENCE: '0s' }, 'CONNECTOR_SILENCE is 0'],
    [{ CONNECTOR_CONFIG: `{"api_key": "${SECRET}"` }, 'CONNECTOR_CONFIG is not valid JSON'],
    [{ CONNECTOR_CONFIG: SECRET }, 'neither a JSON object nor a file that can be read (ENOENT)'],
    [{ CONNECTOR_CONFIG: '/dev/null' }, 'CONNECTOR_CONFIG names a file that is not valid JSON'],
    [SOLR, 'SOURCE_UPDATED_AT is missing: SINK=solr'],
    [
      { FIELDS: 'hash name', FIELDS_HASH_KEY: 'sixteen characters' },
      'SOURCE_ID is missing: FIELDS has a rule hash',
    ],
    [
      { FIELDS: 'hash name', FIELDS_HASH_KEY: 'sixteen characters', SOURCE_ID: 'name' },
      'hides nothing, since SOURCE_ID puts name into each id',
    ],
  ])('refuse %o, and quote no secret', (more, words) => {
    expect(() => read(more as Record<string, string>)).toThrow(words);
    expect(() => read(more as Record<string, string>)).not.toThrow(SECRET);
  });
});
