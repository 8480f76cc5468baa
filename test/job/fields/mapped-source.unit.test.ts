/** FIELDS in front of a source whose settings are known late. */
import { expect, it } from 'vitest';
import { mapFields } from '../../../src/job/fields/mapped-source.ts';
import { memorySource } from '../support/memory-source.ts';

it('a load of other files is told from this one, with FIELDS, too', async () => {
  let files = 'none read';
  const source = Object.defineProperty(memorySource([]), 'mapping', { enumerable: true, get: () => files });
  const mapped = mapFields(source, { rules: [], hashKey: null });
  files = 'of Monday';
  const monday = mapped.mapping;
  files = 'of Tuesday';
  expect(mapped.mapping).not.toBe(monday);
  files = 'of Monday';
  expect(mapped.mapping).toBe(monday);
});
