import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../../src/job/settings.ts';

const complete = {
  SOURCE: 'sql',
  SOURCE_URL: 'postgres://user:hush@db/x',
  SOURCE_TABLE: 'places',
  SOURCE_ID: 'id',
  SINK: 'postgres',
  SINK_URL: 'postgres://user:hush@db/x',
  SINK_TABLE: 'cities',
};

const read = (more: Record<string, string> = {}) =>
  readSettings({ needsSource: true, environment: { ...complete, ...more } }).source;

describe('the settings of source sql', () => {
  it('name a table or a SELECT, and its columns', () => {
    const plain = {
      kind: 'sql',
      dialect: 'postgres',
      url: complete.SOURCE_URL,
      from: { table: ['places'] },
      id: ['id'],
      updatedAt: null,
      deletedAt: null,
    };
    expect(read()).toEqual(plain);
    const columns = {
      SOURCE_TABLE: 'geo.Places',
      SOURCE_ID: 'country, code',
      SOURCE_UPDATED_AT: 'changed',
      SOURCE_DELETED_AT: 'gone',
    };
    expect(read(columns)).toEqual({
      ...plain,
      from: { table: ['geo', 'Places'] },
      id: ['country', 'code'],
      updatedAt: 'changed',
      deletedAt: 'gone',
    });
    const query = 'select * from places -- all; of them';
    expect(read({ SOURCE_TABLE: '', SOURCE_QUERY: `${query} ;\n` })).toMatchObject({ from: { query } });
  });

  it.each(['sqlite:/data/a%20b.db', 'sqlite:///data/a.db'])('accept the file %s', (SOURCE_URL) => {
    expect(read({ SOURCE_URL })).toMatchObject({ dialect: 'sqlite', url: SOURCE_URL });
  });

  it.each([
    ['SOURCE_URL', { SOURCE_URL: 'sqlite:a.db' }],
    ['SOURCE_URL', { SOURCE_URL: 'sqlite:/data/%ff' }],
    ['SOURCE_URL', { SOURCE_URL: 'sqlite://data/a.db' }],
    ['SOURCE_URL', { SOURCE_URL: 'sqlite:/data/a.db?mode=rw' }],
    ['SOURCE_URL', { SOURCE_URL: '' }],
    ['SOURCE_URL', { SOURCE_URL: 'oracle://user:hush@db/x' }],
    ['SOURCE_URL', { SOURCE_URL: 'postgres://user:hush@db' }],
    ['SOURCE_TABLE', { SOURCE_TABLE: '' }],
    ['SOURCE_TABLE', { SOURCE_TABLE: 'a.b.c' }],
    ['SOURCE_TABLE', { SOURCE_TABLE: 'a.' }],
    ['SOURCE_TABLE and SOURCE_QUERY', { SOURCE_QUERY: 'SELECT 1' }],
    ['SOURCE_QUERY', { SOURCE_TABLE: '', SOURCE_QUERY: 'DELETE FROM hush' }],
    ['SOURCE_ID', { SOURCE_ID: '' }],
    ['SOURCE_ID', { SOURCE_ID: 'a,,b' }],
    ['SOURCE_ID', { SOURCE_ID: 'a,a' }],
    ['SOURCE_UPDATED_AT', { SINK: 'solr', SOLR_URL: 'https://solr/solr', SOLR_APP: 'a' }],
  ])('are refused with the name of the wrong one and without secrets: %s in %j', (key, more) => {
    expect(() => read(more)).toThrow(
      expect.objectContaining({
        code: 'notConfigured',
        message: expect.stringMatching(
          new RegExp(`^(?!.*hush)${key}.*; set it in the environment$`),
        ) as string,
      }),
    );
  });
});
