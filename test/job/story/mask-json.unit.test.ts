/** Masking within JSON: secrets go, all else stays byte for byte. */
import { expect, test } from 'vitest';
import { maskJson } from '../../../src/job/story/mask-json.ts';

test.each([
  ['{"n": 12345678901234567890.10, "t": "a \\"b\\" \\\\", "u": [null, true, "c"]}'],
  ['{"": "", "a:b": {"c": ":"}, "\\"x\\"": "y"}'],
  ['{"token": 7, "secret": null, "password": ""}'],
])('%s stays as it is', (json) => {
  expect(maskJson(json)).toBe(json);
});

test.each([
  ['{"api_key": "abc", "a": "b"}', { api_key: '<FILTERED>', a: 'b' }],
  ['{"a": ["https://u:p@h/x", "--token abc"]}', { a: ['https://<FILTERED>@h/x', '--token <FILTERED>'] }],
  ['{"a": "say \\"Bearer abc12345\\""}', { a: 'say "Bearer <FILTERED>"' }],
])('%s loses its secret and stays JSON', (json, expected) => {
  expect(JSON.parse(maskJson(json))).toEqual(expected);
});
