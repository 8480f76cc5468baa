import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../../src/job/settings.ts';

const complete = {
  SOURCE: 'oai-pmh',
  SOURCE_URL: 'https://user:hush@archive.example.org/oai?key=x',
  SINK: 'postgres',
  SINK_URL: 'postgres://user:hush@db/x',
  SINK_TABLE: 'records',
};

const read = (more: Record<string, string> = {}) =>
  readSettings({ needsSource: true, environment: { ...complete, ...more } }).source;

describe('the settings of source oai-pmh', () => {
  it('name a repository, a format and a set', () => {
    const plain = {
      kind: 'oai-pmh',
      url: complete.SOURCE_URL,
      prefix: 'oai_dc',
      set: null,
      unmarkedEnds: false,
    };
    expect(read()).toEqual(plain);
    expect(read({ OAI_UNMARKED_END: 'true' })).toEqual({ ...plain, unmarkedEnds: true });
    const more = { OAI_PREFIX: 'marc-xml.2', OAI_SET: "maps:town_(old)~!*'" };
    expect(read(more)).toEqual({ ...plain, prefix: more.OAI_PREFIX, set: more.OAI_SET });
  });

  it.each([
    [{ SOURCE_URL: '' }, 'SOURCE_URL is missing'],
    [{ SOURCE_URL: 'ftp://x/y' }, 'SOURCE_URL is not a URL that begins with http: or https:'],
    [{ SOURCE_URL: 'http://x/oai?verb=Identify' }, 'SOURCE_URL holds a request (verb=…)'],
    [{ OAI_PREFIX: 'oai dc' }, 'OAI_PREFIX is not a metadata prefix'],
    [{ OAI_SET: 'a,b' }, 'OAI_SET is not the setSpec of one set'],
    [{ OAI_SET: 'a:' }, 'OAI_SET is not the setSpec of one set'],
    [{ OAI_UNMARKED_END: 'maybe' }, 'OAI_UNMARKED_END'],
  ])('refuse %o', (more, words) => {
    expect(() => read(more)).toThrow(words);
  });
});
