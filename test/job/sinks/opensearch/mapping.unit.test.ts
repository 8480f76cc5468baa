/** SINK_MAPPING: what a file may say, and what it may not take away. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readIndexBody } from '../../../../src/job/sinks/opensearch/mapping.ts';
import { openSettings } from '../../../../src/job/settings-file.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-mapping-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string): ReturnType<typeof readIndexBody> {
  const file = path.join(folder, 'mapping.json');
  writeFileSync(file, text);
  return readIndexBody(openSettings({ SINK_MAPPING: file }));
}

it('adds id and updated_at to the fields of the file, and maps no other by itself', () => {
  const name = { type: 'text' };
  expect(read(JSON.stringify({ mappings: { properties: { name } }, settings: { a: 1 } }))).toEqual({
    mappings: { dynamic: false, properties: { id: { type: 'keyword' }, updated_at: { type: 'date' }, name } },
    settings: { a: 1 },
  });
  const id = { type: 'keyword', fields: { text: { type: 'text' } } };
  expect(read(JSON.stringify({ mappings: { dynamic: 'strict', properties: { id } } }))).toMatchObject({
    mappings: { dynamic: 'strict', properties: { id, updated_at: { type: 'date' } } },
  });
});

it.each([
  ['{', 'which cannot be read as JSON'],
  ['{"aliases": {}}', 'is not an object of "mappings" and "settings" alone'],
  ['{"mappings": {"properties": 1}}', '"properties" is not an object'],
  [
    '{"mappings": {"properties": {"id": {"type": "text"}}}}',
    'maps id in another way than {"type": "keyword"}',
  ],
  ['{"mappings": {"properties": {"id": {"type": "keyword", "ignore_above": 9}}}}', 'maps id in another way'],
  [
    '{"mappings": {"properties": {"updated_at": {"type": "date", "format": "epoch_second"}}}}',
    'maps updated_at in another way',
  ],
  ['{"mappings": {"_source": {"enabled": false}}}', 'sets "_source", which has to hold the whole record'],
])('refuses %s with the fix', (text, words) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code: 'notConfigured', message: expect.stringContaining(words) as string }),
  );
});

it('refuses a file that is not there', () => {
  expect(() => readIndexBody(openSettings({ SINK_MAPPING: '/nowhere.json' }))).toThrow(
    'SINK_MAPPING names /nowhere.json, which cannot be read as JSON: ENOENT',
  );
});
