/** OPTIONS become arguments without a shell: the program gets the words as written, or they are refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  approvalOf,
  areSameOptions,
  isPreview,
  liftsGuard,
  namedRecords,
  parseOptions,
  withoutForce,
} from '../../src/domain/options.ts';
import { recordFlags } from '../../src/api/jobs/record-ids.ts';

const OURS = { foreign: false };
const FOREIGN = { foreign: true };
const UUID = '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55';

test.each<[string, string[]]>([
  ['', []],
  ['   ', []],
  ['--debug', ['--debug']],
  ['  --debug   -n 5 ', ['--debug', '-n', '5']],
  ['-n 5000 -c 4', ['-n', '5000', '-c', '4']],
  ['-c 64', ['-c', '64']],
  ['--force-delete', ['--force-delete']],
  ['--switch_solr_alias', ['--switch_solr_alias']],
  ['-c 8 --item 17 --item 203', ['-c', '8', '--item', '17', '--item', '203']],
  ['--target_env qas --target avo', ['--target_env', 'qas', '--target', 'avo']],
  [
    '--before 0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55 --preview',
    ['--before', '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55', '--preview'],
  ],
  ['--expect 3f0c9a71b2d84e65', ['--expect', '3f0c9a71b2d84e65']],
  [`--approval ${UUID}`, ['--approval', UUID]],
])('%j becomes %j', (options, args) => {
  expect(parseOptions(options, OURS)).toEqual({ args });
});

test.each([
  '--api_job_id 1',
  '--unknown',
  'word',
  '-n',
  '-n 0',
  '--approval 7',
  '--approval',
  '-n 12345678',
  '-n -5',
  '-n 5x',
  '-c 65',
  '-c 0',
  '--item',
  '--item 0',
  '--item 17,18',
  '--item avo',
  '--target Avo',
  '--target ../avo',
  '--target avo;id',
  '--debug;id',
  '--debug $(id)',
  '`id`',
  '| id',
  '--debug && id',
  "'--debug'",
  '"--debug"',
  '--debug=true',
  '__proto__',
  'constructor',
  'toString',
  '-n\u00a05',
  '--before 37',
  '--before 0B0F6D1E-5A34-4C9E-9D1C-2F7F2F6C1A55',
  '--preview true',
  '--expect 3f0c9a71b2d84e6',
  '--expect ../x',
])('%j is refused for our own program', (options) => {
  expect(parseOptions(options, OURS)).toHaveProperty('error');
});

test('the refusal names the fault', () => {
  expect(parseOptions('--nope', OURS)).toEqual({ error: expect.stringContaining("'--nope'") });
  expect(parseOptions('-c 99', OURS)).toEqual({ error: expect.stringMatching(/-c .*'99'/) });
});

test.each([
  ['a newline', 'a\nb'],
  ['a carriage return', 'a\rb'],
  ['a tab', 'a\tb'],
  ['a null', 'a\0b'],
  ['an escape', 'a\u001b[0m'],
  ['a delete', 'a\u007f'],
  ['a next line', 'a\u0085b'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
  ['a lone high surrogate', 'a\ud800'],
  ['a lone low surrogate', '\udc00a'],
  ['more than 2000 characters', 'a'.repeat(2001)],
])('%s is refused for every program', (_, options) => {
  expect(parseOptions(options, OURS)).toHaveProperty('error');
  expect(parseOptions(options, FOREIGN)).toHaveProperty('error');
});

test.each(['--api_job_id 99999999', '-x --api_job_id', '--api_job_id=7'])(
  '%s is refused for every program',
  (options) => {
    expect(parseOptions(options, OURS)).toEqual({ error: expect.stringContaining('--api_job_id') });
    expect(parseOptions(options, FOREIGN)).toEqual({ error: '--api_job_id is added by syncrator itself' });
  },
);

test('options are the same if they give the same arguments', () => {
  expect(areSameOptions(' -n  5 ', '-n 5')).toBe(true);
  expect([areSameOptions('-n 5', '-n 6'), areSameOptions('a b', 'ab'), areSameOptions('', 'a')]).toEqual([
    false,
    false,
    false,
  ]);
});

test('shell metacharacters reach another program unchanged', () => {
  const options = `--query $(id) \`id\` ;id | > < && * ? ~ "a b" 'c' \\ %s {x} 🎬`;
  expect(parseOptions(options, FOREIGN)).toEqual({ args: options.split(' ') });
});

test('the arguments are the words of the input, byte for byte', () => {
  const words = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('-n', '5', '-c', '4', '--debug', '--force-delete', '--target', 'avo', ' ', ''),
  );
  const accepted = { ours: 0, foreign: 0 };
  fc.assert(
    fc.property(fc.array(words), fc.boolean(), (parts, foreign) => {
      const options = parts.join(' ');
      const parsed = parseOptions(options, { foreign });
      if ('error' in parsed) return;
      accepted[foreign ? 'foreign' : 'ours'] += 1;
      expect(Buffer.from(parsed.args.join(' '))).toEqual(
        Buffer.from(options.replace(/ +/g, ' ').replace(/^ | $/g, '')),
      );
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(accepted.ours, accepted.foreign)).toBeGreaterThan(50);
});

test('a separate word lifts the guard, and can be removed', () => {
  expect(['--force-delete', '-n 5 --force-delete', ' --force-delete '].map(liftsGuard)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['', '--force-delete=no', '-n 5 --force', 'x--force-delete'].some(liftsGuard)).toBe(false);
  expect(withoutForce('-n 5 --force-delete --debug --force-delete')).toBe('-n 5 --debug');
  expect(withoutForce('--force-delete')).toBe('');
});

test('only a removal has an approval, whatever the options of other actions say', () => {
  const options = `-n 5 --approval ${UUID} -c 1`;
  expect(approvalOf({ action: 'remove', options })).toBe(UUID);
  expect(approvalOf({ action: 'sync', options })).toBeUndefined();
  expect(approvalOf({ action: 'remove', options: '-n 5' })).toBeUndefined();
});

test.each(['--force-delete', '--preview', '--only', '-n', '-'])('an id %s is no option', (id) => {
  const options = recordFlags([id, 'other']).join(' ');
  expect(parseOptions(options, { foreign: false })).toEqual({ args: options.split(' ') });
  expect(namedRecords(withoutForce(options))).toEqual({ ids: [id, 'other'] });
  expect([liftsGuard(options), isPreview({ action: 'rollback', options })]).toEqual([false, false]);
  expect(parseOptions(`--id ${id}`, { foreign: false })).toHaveProperty('error');
});
