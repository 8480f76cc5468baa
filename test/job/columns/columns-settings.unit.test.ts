import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readAccountSettings } from '../../../src/job/compat/account/account-settings.ts';
import { readSettings } from '../../../src/job/settings.ts';
import { openSettings } from '../../../src/job/settings-file.ts';

const complete = {
  SOURCE: 'ndjson',
  SOURCE_URL: 'http://example.org/records',
  SINK: 'postgres',
  SINK_URL: 'postgres://user:secret@db/x',
  SINK_TABLE: 'cities',
};
const read = (more: Record<string, string>) =>
  readSettings({ needsSource: true, environment: { ...complete, ...more } });

it('columns are read from the setting, and from a file that it names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'columns-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'columns.txt');
  writeFileSync(file, 'name text\npopulation bigint\n');
  const columns = {
    list: [
      { name: 'name', type: { name: 'text' } },
      { name: 'population', type: { name: 'bigint' } },
    ],
    keepsRecord: true,
    mayDrop: [],
  };
  expect(read({ SINK_COLUMNS: 'name text, population bigint' }).sink).toMatchObject({ columns });
  expect(read({ SINK_COLUMNS: file }).sink).toMatchObject({ columns });
  const more = { SINK_COLUMNS: file, SINK_RECORD: 'false', SINK_DROP_COLUMNS: 'size, record' };
  expect(read(more).sink).toMatchObject({
    columns: { ...columns, keepsRecord: false, mayDrop: ['size', 'record'] },
  });
  expect(read({}).sink).not.toHaveProperty('columns');
});

const solr = { SINK: 'solr', SOLR_URL: 'http://solr:8983/solr' };
const opensearch = { SINK: 'opensearch', SINK_URL: 'http://os:9200', SINK_INDEX: 'cities' };

it.each<[Record<string, string>, string]>([
  [
    { SINK_COLUMNS: 'name varchar' },
    'SINK_COLUMNS gives name varchar a type that is not one of text, integer',
  ],
  [{ SINK_COLUMNS: '/nowhere/at-all.txt' }, 'SINK_COLUMNS is neither a list such as name text nor a file'],
  [{ SINK_COLUMNS: 'name' }, 'SINK_COLUMNS is neither a list such as name text nor a file'],
  [{ SINK_RECORD: 'no', SINK_COLUMNS: 'name text' }, 'SINK_RECORD is neither true nor false'],
  [{ SINK_RECORD: 'false' }, 'SINK_RECORD is false without SINK_COLUMNS'],
  [{ SINK_DROP_COLUMNS: 'a text' }, 'SINK_DROP_COLUMNS holds a text, which is not the name of a column'],
  [{ ...solr, SINK_COLUMNS: 'name text' }, 'SINK_COLUMNS is set, but SINK=solr has no columns'],
  [{ ...solr, SINK_RECORD: 'true' }, 'SINK_RECORD is set, but SINK=solr has no columns'],
  [{ ...opensearch, SINK_COLUMNS: 'name text' }, 'SINK_COLUMNS is set, but SINK=opensearch has no columns'],
  [{ ...opensearch, SINK_DROP_COLUMNS: 'name' }, 'SINK_DROP_COLUMNS is set, but SINK=opensearch'],
  [
    {
      SOURCE: 'gitlab',
      GITLAB_URL: 'https://gitlab',
      GITLAB_TOKEN: 't',
      GITLAB_GROUP: 'g',
      SINK_COLUMNS: 'item jsonb',
      SINK_RECORD: 'false',
    },
    'SOURCE=gitlab finds its revisions in the column record',
  ],
])('%j is refused with the reason', (more, why) => {
  expect(() => read(more)).toThrow(
    expect.objectContaining({ code: 'notConfigured', message: expect.stringContaining(why) as string }),
  );
});

it('an account has tables of its own, without columns of fields', () => {
  const settings = openSettings({ ...complete, SOURCE: 'rest', SINK_COLUMNS: 'name text' });
  expect(() => readAccountSettings(settings)).toThrow('SINK_COLUMNS is set, but SOURCE=rest has no columns');
});
