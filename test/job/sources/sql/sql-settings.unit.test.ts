import { describe, expect, it } from 'vitest';
import { readMysqlUrl } from '../../../../src/job/sources/sql/mysql-url.ts';
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
    'mysql://u:p@h/d',
    'mariadb://u@[::1]:3307/d',
    'mysql://u@h/d?ssl-mode=required',
    'mysql://u@h/d?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem',
  ])('accept the address %s', (SOURCE_URL) => {
    expect(read({ SOURCE_URL })).toMatchObject({ dialect: 'mysql', url: SOURCE_URL });
  });

  it('of MySQL name host, user, database and how to check the certificate', () => {
    expect(readMysqlUrl('mysql://a%40b:p%23@[::1]/d%20e?ssl-mode=verify_ca&ssl-ca=/ca.pem')).toEqual({
      host: '::1',
      port: 3306,
      user: 'a@b',
      password: 'p#',
      database: 'd e',
      tls: { verify: 'certificate', caFile: '/ca.pem' },
    });
    expect(readMysqlUrl('mysql://u@h:3307/d')).toMatchObject({ port: 3307, password: '', tls: null });
  });

  it.each([
    ['SOURCE_URL names no host or no user', { SOURCE_URL: 'mysql://hush.db/x' }],
    ['SOURCE_URL names no database', { SOURCE_URL: 'mysql://user:hush@db' }],
    ['SOURCE_URL has the unknown parameter ssl', { SOURCE_URL: 'mysql://user:hush@db/x?ssl=true' }],
    ['SOURCE_URL has an unknown ssl-mode', { SOURCE_URL: 'mysql://user:hush@db/x?ssl-mode=preferred' }],
    ['SOURCE_URL has ssl-ca', { SOURCE_URL: 'mysql://user:hush@db/x?ssl-ca=/ca.pem' }],
    ['SOURCE_URL has a %', { SOURCE_URL: 'mysql://user:hush%zz@db/x' }],
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
    ['SOURCE_UPDATED_AT', { SINK: 'opensearch', SINK_URL: 'https://search', SINK_INDEX: 'a' }],
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
