import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/job/arguments.ts';

const UID = '01234567-89ab-cdef-0123-456789abcdef';
const DIGEST = '3f0c9a71b2d84e65'.repeat(4);

const defaults = {
  batchSize: 1000,
  concurrency: 1,
  debug: false,
  forceDelete: false,
  acceptJump: false,
  items: [],
  switchSolrAlias: false,
  targetEnv: null,
  target: null,
  before: null,
  preview: false,
  expect: null,
  ids: [],
  only: false,
  approval: null,
  of: null,
  plan: null,
  digest: null,
  jobId: null,
};

describe('the command line', () => {
  it.each([
    ['sync', { action: 'sync' }],
    ['delta -n 5', { action: 'delta', batchSize: 5 }],
    [
      'rollback --before 37 --id a%20b --id %C3%BC --id a%20b',
      { action: 'rollback', before: '37', ids: ['a b', 'ü'] },
    ],
    ['rollback --before 37 --only', { action: 'rollback', before: '37', only: true }],
    ['forget-record --id a', { action: 'forget-record', ids: ['a'] }],
    ['sync --accept-jump', { action: 'sync', acceptJump: true }],
    ['delta -n5 -c4', { action: 'delta', batchSize: 5, concurrency: 4 }],
    ['delete --force-delete --api_job_id 12', { action: 'delete', forceDelete: true, jobId: 12 }],
    ['delta --item 17 --item 203 --item 17', { action: 'delta', items: ['17', '203'] }],
    [
      'sync -c 4 --switch_solr_alias --target_env qas --target cataloguspro',
      { action: 'sync', concurrency: 4, switchSolrAlias: true, targetEnv: 'qas', target: 'cataloguspro' },
    ],
    [
      'rollback --before 01234567-89ab-cdef-0123-456789abcdef --preview',
      { action: 'rollback', before: '01234567-89ab-cdef-0123-456789abcdef', preview: true },
    ],
    [
      'rollback --before 37 --expect 3f0c9a71b2d84e65',
      { action: 'rollback', before: '37', expect: '3f0c9a71b2d84e65' },
    ],
    [
      'remove --approval 01234567-89ab-cdef-0123-456789abcdef',
      { action: 'remove', approval: '01234567-89ab-cdef-0123-456789abcdef' },
    ],
    ['plan --of delta -n 5', { action: 'plan', of: 'delta', batchSize: 5 }],
    ['plan --of sync --force-delete', { action: 'plan', of: 'sync', forceDelete: true }],
    [`apply --plan ${UID} --digest ${DIGEST}`, { action: 'apply', plan: UID, digest: DIGEST }],
    ['take-over --api_job_id 3', { action: 'take-over', jobId: 3 }],
    ['--debug rollback --api_job_id=7', { action: 'rollback', debug: true, jobId: 7 }],
  ])('accepts %j', (line, expected) => {
    expect(parseArguments(line.split(' '))).toEqual({ kind: 'run', arguments: { ...defaults, ...expected } });
  });

  it.each([
    [[], 'missing required argument'],
    [['explode'], "'explode' is invalid"],
    [['diff'], 'Allowed choices are sync, delta, delete, remove, rollback'],
    [['sync', 'delta'], 'too many arguments'],
    [['sync', '--api-job-id', '1'], "unknown option '--api-job-id'"],
    [['sync', '--force'], "unknown option '--force'"],
    [['sync', '-n'], 'argument missing'],
    [['sync', '-n', '0'], 'whole number from 1'],
    [['sync', '-n', '-5'], 'whole number from 1'],
    [['sync', '-n', '1e3'], 'whole number from 1'],
    [['sync', '-n', '100001'], 'to 100000'],
    [['sync', '-c', '33'], 'to 32'],
    [['sync', '--api_job_id', '0'], 'whole number from 1'],
    [['sync', '--target', '../x'], 'expected at most 40 of a-z'],
    [['sync', '--target_env'], 'argument missing'],
    [['sync', '--api_job_id', '9007199254740992'], 'whole number from 1'],
    [['sync', '--item', '17'], '--item goes with delta, not with sync'],
    [['sync', '--before', '37'], 'go with rollback, not with sync'],
    [['delta', '--preview'], 'go with rollback, not with delta'],
    [['rollback', '--before', 'yesterday'], "a job's uid or number"],
    [['rollback', '--expect', 'x'], 'the digest of a preview'],
    [['remove'], 'remove needs --approval: approve a loss'],
    [['remove', '--approval', '7'], 'expected a uuid'],
    [
      ['delete', '--approval', '01234567-89ab-cdef-0123-456789abcdef'],
      '--approval goes with remove, not with delete',
    ],
    [['plan'], 'plan needs --of: sync, delta, delete'],
    [['plan', '--of', 'rollback'], 'Allowed choices are sync, delta, delete'],
    [['plan', '--of', 'delta', '--item', '7'], '--item goes with delta, not with plan'],
    [['sync', '--of', 'sync'], '--of goes with plan, not with sync'],
    [['apply', '--plan', UID], 'apply needs --plan and --digest'],
    [['apply', '--digest', DIGEST], 'apply needs --plan and --digest'],
    [['apply', '--plan', '7', '--digest', DIGEST], 'expected a uuid'],
    [['apply', '--plan', UID, '--digest', '3f0c9a71b2d84e65'], 'the digest of a plan, 64 hexadecimal'],
    [['sync', '--plan', UID], '--plan and --digest go with apply, not with sync'],
    [['delta', '--item'], 'argument missing'],
    [['delta', '--item', '0'], 'expected a number'],
    [['delta', '--item', '17,18'], 'expected a number'],
    [['sync', '--debug=yes'], 'debug'],
    [['sync', '-n', '1;reboot'], 'whole number from 1'],
    [['sync', '$(reboot)'], 'too many arguments'],
    [['sync', '`reboot`'], 'too many arguments'],
    [['sync', '|', 'tee'], 'too many arguments'],
    [['sync\n'], 'control characters in argument "sync\\n"'],
    [['sync', '-n', '1\u0000'], 'control characters'],
    [['sync', '\u001b[31m'], 'control characters in argument "\\u001b[31m"'],
    [['sync', '\u009b31m'], 'control characters'],
  ])('rejects %j and names the fault', (argv, said) => {
    const parsed = parseArguments(argv);
    expect(parsed.kind).toBe('usage');
    expect(parsed).toHaveProperty('text', expect.stringContaining(said));
  });

  it('prints its help', () => {
    const parsed = parseArguments(['--help']);
    expect(parsed.kind).toBe('help');
    for (const word of [
      '-n',
      '-c',
      '--force-delete',
      '--api_job_id',
      '--item',
      'SINK_URL',
      'GITLAB_TOKEN',
      'rollback',
      '--before',
      'MAX_REJECTED',
      'Exit codes',
    ]) {
      expect(parsed).toHaveProperty('text', expect.stringContaining(word));
    }
  });
});
