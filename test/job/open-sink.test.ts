import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/job/arguments.ts';
import { openSink } from '../../src/job/sinks/open-sink.ts';
import type { SinkSettings } from '../../src/job/sinks/sink-settings.ts';

const solr: SinkSettings = {
  kind: 'solr',
  url: 'http://u:p@solr/solr/',
  app: { name: 'cataloguspro', key: 'SOLR_APP' },
  env: 'qas',
};

function open(settings: SinkSettings, line: string) {
  const parsed = parseArguments(line.split(' '));
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  return openSink(settings, parsed.arguments);
}

describe('which sink is opened', () => {
  it.each([
    'sync --switch_solr_alias --target_env qas --target cataloguspro',
    'sync --switch_solr_alias',
    'delta',
    'delete --force-delete',
    'rollback --switch_solr_alias --target_env qas --target cataloguspro',
  ])('Solr for %j, shown without its password', async (line) => {
    const sink = open(solr, line);
    expect([sink.shownAs, sink.place]).toEqual(['http://<FILTERED>@solr/solr/', 'alias cataloguspro']);
    await sink.close();
  });

  it('takes the aliases of --target where the settings name none', () => {
    expect(open({ ...solr, app: null }, 'delta --target towns').place).toBe('alias towns');
  });

  it.each<[SinkSettings, string, string]>([
    [solr, 'sync', 'add --switch_solr_alias --target_env qas --target cataloguspro to OPTIONS'],
    [solr, 'delta --target towns', '--target towns and SOLR_APP=cataloguspro disagree'],
    [solr, 'sync --switch_solr_alias --target_env prd', '--target_env prd and SYNCRATOR_ENV=qas disagree'],
    [{ ...solr, app: null }, 'delta', 'Set SOLR_APP'],
    [
      { kind: 'postgres', url: 'postgres://db/x', table: 'cities' },
      'sync --switch_solr_alias',
      '--switch_solr_alias is for SINK=solr, and SINK=postgres',
    ],
  ])('refuses %j with %j', (settings, line, said) => {
    expect(() => open(settings, line)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(said) as string }),
    );
  });
});
