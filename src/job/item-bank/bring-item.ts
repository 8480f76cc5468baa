/** One item: its project tells us of pushes, and the sink has its latest revision. Safe to repeat. */

import { GitlabFault } from '../sources/gitlab/gitlab-fault.ts';
import type { Gitlab, Project } from '../sources/gitlab/gitlab.ts';
import type { GitlabSettings } from '../sources/gitlab/gitlab-settings.ts';
import { type Items, type KnownItem, UnfitItemError } from '../sinks/items.ts';
import type { Failure, Outcome } from './tally.ts';
import { lookUpstream } from './upstream.ts';

export type Brought = Exclude<Outcome, 'ignored' | Failure>;

export type Bank = {
  readonly gitlab: Gitlab;
  readonly items: Items;
  readonly settings: Pick<GitlabSettings, 'itemFile' | 'webhook' | 'ignore'>;
};

/**
 * The webhook comes first, so that no push falls between it and the look at the commits. Where it cannot be made, the
 * item is brought all the same, and then counts as failed.
 *
 * @param known what the sink has of it
 * @throws GitlabFault, UnfitItemError: the item's; anything else is the end of the run
 */
export async function bringItem(
  bank: Bank,
  project: Project,
  known: KnownItem | undefined,
): Promise<Brought> {
  try {
    const hookFault = await ensureHook(bank, project);
    const brought = await bringRevision(bank, project, known);
    if (hookFault) throw hookFault;
    return brought;
  } catch (error) {
    // It may have gone between its listing and its turn.
    const isMissing = error instanceof GitlabFault && error.kind === 'missing';
    if (isMissing && (await bank.gitlab.project(project.id)) === null) return 'gone';
    throw error;
  }
}

async function ensureHook({ gitlab, settings }: Bank, project: Project): Promise<GitlabFault | null> {
  // Nothing is pushed to an archived project.
  if (settings.webhook === null || project.archived) return null;
  try {
    await gitlab.ensureHook(project.id, settings.webhook);
    return null;
  } catch (error) {
    if (error instanceof GitlabFault && error.kind !== 'unauthorized') return error;
    throw error;
  }
}

async function bringRevision(
  { gitlab, items, settings: { itemFile } }: Bank,
  project: Project,
  known: KnownItem | undefined,
): Promise<Brought> {
  const { id, path } = project;
  const upstream = await lookUpstream(gitlab, project, known);
  switch (upstream.kind) {
    case 'none':
      return 'no item';
    case 'removed':
      // A project that has just gone answers for its file as one that stays.
      if ((await gitlab.project(id)) === null) return 'gone';
      if (known?.removed !== true) await items.markRemoved(id);
      return 'removed';
    case 'same':
      if (known?.project === path && !known.removed) return 'unchanged';
      await items.move(id, path);
      return 'updated';
    case 'newer':
      break;
  }
  const { latest, before, text } = upstream;
  requireObject(itemFile, text);
  // All of them where the revision we have is gone: the history was rewritten. Then the newest may be one of old.
  const applied = await items.applied(
    id,
    [latest, ...before].map(({ sha }) => sha),
  );
  const unseen = before.filter(({ sha }) => !applied.has(sha)).toReversed();
  return await items.apply({ id, project: path, file: itemFile, text, unseen, latest });
}

function requireObject(file: string, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnfitItemError(`${file}: not JSON`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnfitItemError(`${file}: JSON, but no object`);
  }
}
