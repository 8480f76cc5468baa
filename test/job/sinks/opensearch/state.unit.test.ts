/** The form of the stored state: an earlier version must not read it while records are held. */
import { expect, test } from 'vitest';
import { EMPTY, type State, stateSchema, storedForm } from '../../../../src/job/sinks/opensearch/state.ts';

const SET = { id: '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55', count: 1, pieces: 1 };
const generation = {
  uuid: 'u',
  synced: true,
  watermark: null,
  listed_at: null,
  source_state: null,
  coarse_times: false,
  proven: true,
  left_by: null,
  held: null,
};

test('has format 2 while a generation has held records, and format 1 otherwise', () => {
  const state = (held: typeof SET | null): State => ({
    ...EMPTY,
    generations: { one: { ...generation, held } },
  });
  expect(storedForm(state(null)).format).toBe(1);
  expect(storedForm(state(SET)).format).toBe(2);
  expect(stateSchema.safeParse(storedForm(state(SET))).error).toBeUndefined();
});
