/** One item: its project tells us of pushes, and the sink has its latest revision. Safe to repeat. */

import { GitlabFault } from '../sources/gitlab/gitlab-fault.ts';
import type { Gitlab, Project } from '../sources/gitlab/gitlab.ts';
import type { GitlabSettings } from '../sources/gitlab/gitlab-settings.ts';
import { type Items, type KnownItem, UnfitItemError } from '../sinks/items.ts';
import type { Outcome } from './tally.ts';

export type Brought = Extract<Outcome, 'added' | 'updated' | 'unchanged' | 'no item'>;

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
  const hookFault = await ensureHook(bank, project);
  const brought = await bringRevision(bank, project, known);
  if (hookFault) throw hookFault;
  return brought;
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
  if (project.branch === null) return 'no item';
  const newestFirst = await gitlab.commits(project, known?.sha ?? null);
  if (newestFirst === null) return 'no item';
  const newest = newestFirst[0];
  if (newest === undefined) {
    if (known?.project === project.path) return 'unchanged';
    await items.move(project.id, project.path);
    return 'updated';
  }
  const text = await gitlab.itemText(project.id, newest.sha);
  if (text === null) return 'no item';
  requireObject(itemFile, text);
  // All of them where the revision we have is gone: the history was rewritten. Then the newest may be one of old.
  const applied = await items.applied(
    project.id,
    newestFirst.map(({ sha }) => sha),
  );
  const unseen = newestFirst.slice(1).filter(({ sha }) => !applied.has(sha));
  const { id, path } = project;
  return await items.apply({
    id,
    project: path,
    file: itemFile,
    text,
    unseen: unseen.toReversed(),
    latest: newest,
  });
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
