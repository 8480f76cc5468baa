import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/job/arguments.ts';
import { readWriter } from '../../../src/job/settings.ts';
import { openSink } from '../../../src/job/sinks/open-sink.ts';
import type { SinkSettings, SolrSettings } from '../../../src/job/sinks/sink-settings.ts';

const solr: SolrSettings = {
  kind: 'solr',
  url: 'http://u:p@solr/solr/',
  app: { name: 'cataloguspro', key: 'SOLR_APP' },
  env: 'qas',
  keepChangesMs: 0,
};

function open(settings: SinkSettings, line: string) {
  const parsed = parseArguments(line.split(' '));
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  const given = parsed.arguments;
  return openSink(settings, {
    given,
    writer: readWriter(given, {}),
    stop: new AbortController().signal,
    onWait: () => {},
    log: () => {},
  });
}

describe('opening a sink', () => {
  it.each([
    'sync --switch_solr_alias --target_env qas --target cataloguspro',
    'sync --switch_solr_alias',
    'delta',
    'delete --force-delete',
    'rollback --switch_solr_alias --target_env qas --target cataloguspro',
  ])('opens Solr for %j and masks the password', async (line) => {
    const sink = open(solr, line);
    expect([sink.shownAs, sink.place]).toEqual(['http://<FILTERED>@solr/solr/', 'alias cataloguspro']);
    await sink.close();
  });

  it('uses the aliases of --target if the settings name none', () => {
    expect(open({ ...solr, app: null }, 'delta --target towns').place).toBe('alias towns');
  });

  it.each<[SinkSettings, string, string]>([
    [solr, 'sync', 'add --switch_solr_alias --target_env qas --target cataloguspro to OPTIONS'],
    [solr, 'delta --target towns', '--target towns and SOLR_APP=cataloguspro disagree'],
    [solr, 'sync --switch_solr_alias --target_env prd', '--target_env prd and SYNCRATOR_ENV=qas disagree'],
    [{ ...solr, app: null }, 'delta', 'set SOLR_APP'],
    [
      {
        kind: 'postgres',
        url: 'postgres://db/x',
        schema: null,
        table: 'cities',
        stateSchema: 'syncrator',
        acceptAllTables: false,
        allowCascade: false,
        keepChangesMs: 0,
        keepChangesBytes: null,
      },
      'sync --switch_solr_alias',
      '--switch_solr_alias needs SINK=solr, but SINK=postgres',
    ],
  ])('rejects %j with %j', (settings, line, said) => {
    expect(() => open(settings, line)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(said) as string }),
    );
  });
});
