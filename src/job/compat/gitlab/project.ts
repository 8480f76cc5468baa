/** Schema of a project in GitLab's API, limited to the fields that the item bank needs. */
import { z } from 'zod';

export const projectSchema = z
  .object({
    id: z.int().positive(),
    path_with_namespace: z.string(),
    default_branch: z.string().nullish(),
    empty_repo: z.boolean().nullish(),
    archived: z.boolean().nullish(),
    marked_for_deletion_on: z.string().nullish(),
    /** Earlier name of the same field. */
    marked_for_deletion_at: z.string().nullish(),
    last_activity_at: z.iso.datetime({ offset: true }).nullish(),
  })
  .transform((project) => ({
    id: String(project.id),
    path: project.path_with_namespace,
    /** Null in an empty repository. */
    branch: project.empty_repo === true ? null : (project.default_branch ?? null),
    archived: project.archived === true,
    /** Marked for deletion: GitLab deletes it in some days unless it is restored, and has renamed its path. */
    isMarked:
      (project.marked_for_deletion_on ?? project.marked_for_deletion_at ?? null) !== null ||
      hasMarkedPath(project),
    /** Null if GitLab does not report it; counts as now. */
    activeAt: project.last_activity_at ? new Date(project.last_activity_at) : null,
  }));
export type Project = z.output<typeof projectSchema>;

/** GitLab renames a project, or its group, that is scheduled for deletion, to free the path. */
function hasMarkedPath(project: { id: number; path_with_namespace: string }): boolean {
  const path = project.path_with_namespace;
  return path.endsWith(`-deletion_scheduled-${project.id}`) || /-deletion_scheduled-\d+\//.test(path);
}
