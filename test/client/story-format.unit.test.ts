/** Words for the story of a record, the same for terminal and page. */
import { expect, it } from 'vitest';
import { causeWords, entryWords } from '../../src/client/story-format.ts';
import type { StoryEntryJson } from '../../src/client/types.ts';

const AT = '2026-11-22T01:08:20.000Z';
const entry = (more: Partial<StoryEntryJson>): StoryEntryJson => ({
  at: AT,
  kind: 'updated',
  action: null,
  job_id: null,
  requested_by: null,
  answer: null,
  approvals: [],
  reason: null,
  changed: null,
  changed_by_others: false,
  before: null,
  after: null,
  ...more,
});
const answer = { by: 'ada', reason: 'closed', loss_id: 7, until: null };

it.each<[Partial<StoryEntryJson>, string, string]>([
  [
    { kind: 'updated', action: 'sync', job_id: 37, requested_by: 'admin' },
    'changed',
    'by job 37 (sync), asked for by admin',
  ],
  [
    { kind: 'kept', reason: 'no_evidence', action: 'sync' },
    'kept: a listing lacked it, but was not proven complete',
    'by a sync of an unknown job',
  ],
  [
    { kind: 'pinned', answer: { ...answer, until: AT } },
    `kept by an answer until ${AT}`,
    'by ada, as a record of loss 7: “closed”',
  ],
  [{ kind: 'approved', answer }, 'its removal was approved', 'by ada, as a record of loss 7: “closed”'],
  [
    { kind: 'approved', answer, action: 'remove', job_id: 38 },
    'its removal was approved',
    'by ada, as a record of loss 7: “closed”; it led to job 38',
  ],
])('the entry %j is %j, %j', (more, what, cause) => {
  expect([entryWords(entry(more)), causeWords(entry(more))]).toEqual([what, cause]);
});
