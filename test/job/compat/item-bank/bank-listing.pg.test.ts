/** The item bank as a source of ids, over a GitLab with all kinds of answers. */
import { expect, it, onTestFinished } from 'vitest';
import { bankListing } from '../../../../src/job/compat/item-bank/bank-listing.ts';
import type { BankContext } from '../../../../src/job/compat/item-bank/bank-context.ts';
import type { KnownItem } from '../../../../src/job/sinks/items.ts';
import type { IdBatch } from '../../../../src/job/sources/source.ts';
import { createGitlab } from '../../../../src/job/compat/gitlab/gitlab.ts';
import { type FakeGitlab, GROUP, startGitlab, TOKEN } from '../../../support/gitlab/gitlab.ts';
import { answer } from '../../support/bend.ts';

/** @param removed items that the sink has marked as having lost their file */
async function listingOf(
  of: { ignore?: string[]; removed?: Record<string, KnownItem> } = {},
): Promise<{ gitlab: FakeGitlab; listing: ReturnType<typeof bankListing>; lines: string[] }> {
  const gitlab = await startGitlab();
  onTestFinished(() => gitlab.close());
  const settings = {
    kind: 'gitlab' as const,
    url: gitlab.url,
    token: TOKEN,
    group: GROUP,
    itemFile: 'item.json',
    webhook: null,
    ignore: new Set(of.ignore),
    timeoutMs: 2_000,
  };
  const stop = new AbortController().signal;
  const lines: string[] = [];
  const context = {
    bank: { gitlab: createGitlab(settings, { stop, onWait: () => {} }), settings },
    items: { removed: async () => new Map(Object.entries(of.removed ?? {})) },
    options: { concurrency: 4 },
    stop,
    log: { info: (line: string) => lines.push(line) },
  };
  return { gitlab, lines, listing: bankListing(context as unknown as BankContext) };
}

async function batchesOf(listing: ReturnType<typeof bankListing>, size: number): Promise<IdBatch[]> {
  const batches: IdBatch[] = [];
  for await (const batch of listing.ids(size)) batches.push(batch);
  return batches;
}

it('a listing of the bank yields ids in byte order, each once, with a cursor', async () => {
  const { gitlab, listing } = await listingOf({ ignore: ['5', '1000'] });
  gitlab.bank.fill(12);
  expect(await batchesOf(listing, 5)).toEqual([
    { ids: ['1', '10', '1000', '11', '12'], rejected: [], cursor: { after: '12', done: 5 } },
    { ids: ['2', '3', '4', '5', '6'], rejected: [], cursor: { after: '6', done: 10 } },
    { ids: ['7', '8', '9'], rejected: [], cursor: { after: '9', done: 13 } },
  ]);
  expect(await listing.evidence()).toEqual({ complete: true, words: '12 projects listed, X-Total 12' });
});

it('a listing of an empty group yields nothing, not even ignored ids', async () => {
  const { listing } = await listingOf({ ignore: ['5'] });
  expect(await batchesOf(listing, 5)).toEqual([]);
});

it('a listing has no evidence before it has ended', async () => {
  const { listing } = await listingOf();
  expect(await listing.evidence()).toMatchObject({ complete: false });
});

it('a listing is complete although it leaves out marked projects and removed files', async () => {
  const { gitlab, listing } = await listingOf({
    removed: { 3: { sha: 'f'.repeat(40), project: 'item-bank/item-3', removed: true } },
  });
  gitlab.bank.fill(5);
  gitlab.bank.commit(3, null);
  gitlab.bank.markForDeletion(4);
  const [batch] = await batchesOf(listing, 10);
  expect(batch?.ids).toEqual(['1', '2', '5']);
  expect(await listing.evidence()).toEqual({ complete: true, words: '5 projects listed, X-Total 5' });
  expect([...(await listing.stillThere(['3', '4']))]).toEqual([]);
});

it('the re-check finds listed, ignored and unclear projects', async () => {
  const { gitlab, listing, lines } = await listingOf({ ignore: ['8'] });
  const { bank } = gitlab;
  bank.fill(6);
  bank.project(2).path = 'elsewhere/item-2';
  bank.markForDeletion(3);
  const answers: Record<number, Response | undefined> = { 4: answer(403), 5: answer(500) };
  gitlab.bend = ({ project }) => answers[Number(project)]?.clone();
  await batchesOf(listing, 10);
  const there = await listing.stillThere(['1', '2', '3', '4', '5', '7', '8']);
  expect([...there].toSorted()).toEqual(['1', '4', '5', '8']);
  expect(lines).toContain('item 4 is kept, because its project may exist: project: answered 403');
  // Known to the run already: no call needed.
  expect(gitlab.calls.some(({ project }) => project === 8)).toBe(false);
});

it('a listing ends the run when the token becomes invalid', async () => {
  const { gitlab, listing } = await listingOf();
  gitlab.bank.fill(3);
  gitlab.token = 'another';
  await expect(listing.stillThere(['1'])).rejects.toMatchObject({ code: 'sourceUnauthorized' });
});

it('a listing without totals relies on the re-check of each id', async () => {
  const { gitlab, listing } = await listingOf();
  gitlab.bank.fill(3);
  gitlab.countsTo = 0;
  await batchesOf(listing, 10);
  expect(await listing.evidence()).toEqual({
    complete: true,
    words:
      '3 projects listed, X-Total is missing: the listing is unproven, so each item that it lacks is checked individually',
  });
});
