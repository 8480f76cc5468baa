/** Notifications in words. */
import { expect, test } from 'vitest';
import { slackText } from '../../src/notifications/message.ts';

const told = (data: { count?: number; percent?: number }) =>
  slackText({
    type: 'losses.waiting',
    timestamp: '2026-11-22T01:00:00.000Z',
    data: { env: 'qas', target: 'avo', url: null, loss: 7, ...data },
  }).text;

test('a loss is told in the singular, too, and without figures once it is purged', () => {
  expect(told({ count: 1, percent: 50 })).toBe(
    '⚖ 1 record of *avo* in *qas* (50 %) is gone at the source and waits: approve that it is removed, or keep it (loss 7)',
  );
  expect(told({ count: 2, percent: 50 })).toContain('2 records of *avo* in *qas* (50 %) are gone');
  expect(told({})).toContain('the records of *avo* in *qas* are gone');
});
