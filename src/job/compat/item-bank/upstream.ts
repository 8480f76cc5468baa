/** Compares an item in GitLab with its stored state. */
import type { Commit, KnownItem } from '../../sinks/items.ts';
import { GitlabFault } from '../gitlab/gitlab-fault.ts';
import type { Gitlab } from '../gitlab/gitlab.ts';
import type { Project } from '../gitlab/project.ts';

export type Upstream =
  /** The project has no item yet. */
  | { readonly kind: 'none' }
  /** The stored revision is the latest. */
  | { readonly kind: 'same' }
  /** The item is stored, but its file was removed. */
  | { readonly kind: 'removed' }
  | {
      readonly kind: 'newer';
      readonly latest: Commit;
      /** Newer commits, newest first; all commits if the stored revision is not among them. */
      readonly before: readonly Commit[];
      readonly text: string;
    };

/**
 * Looks the item up in GitLab. A missing repository or branch means `none` for an unknown item, and is a fault for a
 * stored one.
 *
 * @throws GitlabFault
 */
export async function lookUpstream(
  gitlab: Gitlab,
  project: Project,
  known: KnownItem | undefined,
): Promise<Upstream> {
  if (project.branch === null) {
    if (known) throw new GitlabFault('missing', 'its repository has no branch');
    return { kind: 'none' };
  }
  const found = await gitlab.commits(project, known?.sha ?? null);
  if (found === null) {
    if (known) throw new GitlabFault('missing', 'commits: answered 404');
    return { kind: 'none' };
  }
  const [latest, ...before] = found.newestFirst;
  if (latest === undefined && found.reached) return { kind: 'same' };
  const text = latest === undefined ? null : await gitlab.itemText(project.id, latest.sha);
  if (latest === undefined || text === null) return { kind: known ? 'removed' : 'none' };
  return { kind: 'newer', latest, before, text };
}
