/** What GitLab has of an item, beside what the sink has. */

import type { Commit, KnownItem } from '../sinks/items.ts';
import { GitlabFault } from '../sources/gitlab/gitlab-fault.ts';
import type { Gitlab, Project } from '../sources/gitlab/gitlab.ts';

export type Upstream =
  /** No item as yet. */
  | { readonly kind: 'none' }
  /** What the sink has is the latest. */
  | { readonly kind: 'same' }
  /** The sink has it, and the file is there no more. */
  | { readonly kind: 'removed' }
  | {
      readonly kind: 'newer';
      readonly latest: Commit;
      /** Newest first; all of them where the revision that the sink has is not among them. */
      readonly before: readonly Commit[];
      readonly text: string;
    };

/**
 * A repository that does not answer is no item only where there never was one: of an item that the sink has, it is a
 * fault.
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
