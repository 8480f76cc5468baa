import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAccountSettings } from '../../../src/job/compat/account/account-settings.ts';
import { readSettings } from '../../../src/job/settings.ts';
import { openSettings } from '../../../src/job/settings-file.ts';

const complete = {
  SOURCE: 'ndjson',
  SOURCE_URL: 'http://example.org/records',
  SINK: 'postgres',
  SINK_URL: 'postgres://user:hush@db/x',
  SINK_TABLE: 'cities',
};
const KEY = 'precious-precious-precious';

const read = (more: Record<string, string>, needsSource = true) =>
  readSettings({ needsSource, environment: { ...complete, ...more } }).fields;

function messageOf(more: Record<string, string>): string {
  try {
    read(more);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the settings were accepted');
}

function fileWith(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-fields-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'key');
  writeFileSync(file, text);
  return file;
}

describe('the setting FIELDS', () => {
  it('is read with its key, which only a hash needs', () => {
    expect(read({ FIELDS: 'drop a' })).toMatchObject({
      rules: [{ does: 'drop', field: 'a' }],
      hashKey: null,
    });
    expect(read({ FIELDS: 'hash a', FIELDS_HASH_KEY: KEY })).toMatchObject({ hashKey: KEY });
    expect(read({ FIELDS: 'hash a', FIELDS_HASH_KEY_FILE: fileWith(`${KEY}\n`) })).toMatchObject({
      hashKey: KEY,
    });
  });

  it('is not read by an action without a source', () => {
    expect(read({ FIELDS: 'nonsense' }, false)).toBeNull();
  });

  it.each([
    [{ FIELDS: 'drop a, drop id' }, 'FIELDS rule 2 (drop id) changes id'],
    [
      { FIELDS: 'drop a, hash b' },
      'FIELDS_HASH_KEY (or FIELDS_HASH_KEY_FILE) is missing, which FIELDS rule 2 (hash b) needs',
    ],
    [{ FIELDS: 'hash b', FIELDS_HASH_KEY: 'precious' }, 'FIELDS_HASH_KEY has fewer than 16 characters'],
    [
      { FIELDS: 'hash b', FIELDS_HASH_KEY: KEY, FIELDS_HASH_KEY_FILE: '/key' },
      'FIELDS_HASH_KEY and FIELDS_HASH_KEY_FILE are both set',
    ],
    [{ FIELDS: 'hash b', FIELDS_HASH_KEY_FILE: `/${KEY}` }, 'FIELDS_HASH_KEY_FILE cannot be read (ENOENT)'],
  ])('is refused with the place of the fault, and without a secret: %j', (more, words) => {
    const message = messageOf(more);
    expect(message).toContain(words);
    expect(message).toContain('; set it in the environment');
    expect(message).not.toContain('precious');
  });

  it('is refused with an empty file of the key', () => {
    expect(messageOf({ FIELDS: 'hash b', FIELDS_HASH_KEY_FILE: fileWith('\n') })).toContain(
      'FIELDS_HASH_KEY_FILE names an empty file',
    );
  });

  it('is refused if a hashed column is part of the id', () => {
    const sql = {
      SOURCE: 'sql',
      SOURCE_URL: 'postgres://u@db/x',
      SOURCE_TABLE: 'people',
      SOURCE_ID: 'nr, email',
    };
    expect(messageOf({ ...sql, FIELDS: 'hash email', FIELDS_HASH_KEY: KEY })).toContain(
      'FIELDS rule 1 (hash email) hides nothing, since SOURCE_ID puts email into each id',
    );
    const files = { SOURCE: 'files', SOURCE_PATH: '/drop/people.csv', SOURCE_ID: 'nr, email' };
    expect(messageOf({ ...files, FIELDS: 'hash email', FIELDS_HASH_KEY: KEY })).toContain(
      'FIELDS rule 1 (hash email) hides nothing, since SOURCE_ID puts email into each id',
    );
    expect(messageOf({ ...sql, FIELDS: 'rename email=mail, hash mail', FIELDS_HASH_KEY: KEY })).toContain(
      'FIELDS rule 2 (hash mail) hides nothing, since SOURCE_ID puts email into each id',
    );
    const other = { ...sql, FIELDS: 'drop email, rename phone=email, hash email', FIELDS_HASH_KEY: KEY };
    expect(() => messageOf(other)).toThrow('the settings were accepted');
  });

  it('is refused by sources whose data are no records', () => {
    const gitlab = { SOURCE: 'gitlab', GITLAB_URL: 'http://gitlab', GITLAB_TOKEN: 't', GITLAB_GROUP: 'g' };
    expect(messageOf({ ...gitlab, FIELDS: 'drop a' })).toContain(
      'FIELDS is set, which SOURCE=gitlab does not follow',
    );
    const account = {
      ...complete,
      SOURCE: 'rest',
      ACCOUNT_API_URL: 'https://a',
      API_TOKEN: 't',
      FIELDS: 'drop a',
    };
    expect(() => readAccountSettings(openSettings(account))).toThrow('which SOURCE=rest does not follow');
  });
});
