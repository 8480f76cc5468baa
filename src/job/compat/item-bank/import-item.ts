/** Imports one item: ensures its project's webhook and stores its latest revision. Safe to repeat. */
import { GitlabFault } from '../gitlab/gitlab-fault.ts';
import type { Gitlab } from '../gitlab/gitlab.ts';
import type { GitlabSettings } from '../gitlab/gitlab-settings.ts';
import type { Project } from '../gitlab/project.ts';
import { type Items, type KnownItem, UnfitItemError } from '../../sinks/items.ts';
import type { Failure, Outcome } from './import-progress.ts';
import { lookUpstream } from './upstream.ts';

export type ImportOutcome = Exclude<Outcome, 'ignored' | Failure>;

export type Bank = {
  readonly gitlab: Gitlab;
  readonly items: Items;
  readonly settings: Pick<GitlabSettings, 'itemFile' | 'webhook' | 'ignore'>;
  /** Called for each webhook that was repaired. */
  readonly onRepaired: (project: Project, wrong: string) => void;
};

/**
 * Ensures the webhook first, so that no push falls between it and the reading of the commits. If that fails, the
 * item is still imported, and counts as failed. A project marked for deletion is skipped: GitLab has renamed its
 * path and may restore it.
 *
 * @param known the stored state of the item
 * @throws GitlabFault or UnfitItemError for a fault of this item; any other error ends the run
 */
export async function importItem(
  bank: Bank,
  project: Project,
  known: KnownItem | undefined,
): Promise<ImportOutcome> {
  if (project.isMarked) return 'marked';
  try {
    const hookFault = await ensureHook(bank, project);
    const outcome = await importRevision(bank, project, known);
    if (hookFault) throw hookFault;
    return outcome;
  } catch (error) {
    // The project may have been deleted since it was listed.
    const isMissing = error instanceof GitlabFault && error.kind === 'missing';
    if (isMissing && (await bank.gitlab.project(project.id)) === null) return 'gone';
    throw error;
  }
}

async function ensureHook(
  { gitlab, settings, onRepaired }: Bank,
  project: Project,
): Promise<GitlabFault | null> {
  // An archived project accepts no pushes.
  if (settings.webhook === null || project.archived) return null;
  try {
    const wrong = await gitlab.ensureHook(project.id, settings.webhook);
    if (wrong !== null) onRepaired(project, wrong);
    return null;
  } catch (error) {
    if (error instanceof GitlabFault && !error.endsRun) return error;
    throw error;
  }
}

async function importRevision(
  { gitlab, items, settings: { itemFile } }: Bank,
  project: Project,
  known: KnownItem | undefined,
): Promise<ImportOutcome> {
  const { id, path } = project;
  const upstream = await lookUpstream(gitlab, project, known);
  switch (upstream.kind) {
    case 'none':
      return 'no item';
    case 'removed':
      // A just deleted project gives the same answer as one without the file.
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
  // If the stored revision is missing (rewritten history), these are all commits, and some may be applied already.
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
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UnfitItemError(`${file}: JSON, but not an object`);
}
