/** The state of the GitLab stand-in: projects with commits and webhooks, which tests change as people do. */
import { createHash, randomBytes } from 'node:crypto';

export type FakeCommit = {
  readonly sha: string;
  readonly date: Date;
  /** Text of the item's file after the commit; null: the file does not exist (any more). */
  readonly content: string | null;
  /** Whether the commit touched the item's file. */
  readonly touches: boolean;
};

export type FakeHook = {
  readonly id: number;
  readonly url: string;
  token: string;
  push_events: boolean;
  enable_ssl_verification: boolean;
  /** GitLab's own words: `executable`, `disabled`, `temporarily_disabled`. */
  alert_status: string;
  disabled_until: string | null;
};

export type FakeProject = {
  readonly id: number;
  path: string;
  archived: boolean;
  /** The day on which somebody marked it for deletion. */
  markedForDeletionOn: string | null;
  defaultBranch: string;
  lastActivityAt: Date;
  /** By branch, oldest first. */
  readonly branches: Map<string, FakeCommit[]>;
  readonly hooks: FakeHook[];
};

const HOUR_MS = 3_600_000;

export class FakeBank {
  readonly projects = new Map<number, FakeProject>();
  #hooks = 0;

  /** A project without a commit. */
  create(
    id: number,
    path = `item-bank/item-${id}`,
    createdAt = new Date(Date.now() - 30 * 24 * HOUR_MS),
  ): FakeProject {
    const project: FakeProject = {
      id,
      path,
      archived: false,
      markedForDeletionOn: null,
      defaultBranch: 'main',
      lastActivityAt: createdAt,
      branches: new Map(),
      hooks: [],
    };
    this.projects.set(id, project);
    return project;
  }

  /** Projects 1 … count, each with an item of one revision. */
  fill(count: number, date = new Date(Date.now() - 20 * 24 * HOUR_MS)): void {
    for (let id = 1; id <= count; id += 1) {
      this.create(id);
      this.commit(id, { item: id, revision: 1 }, { date });
    }
  }

  /**
   * Like GitLab, updates the time of the last activity at most once an hour.
   * @param content an object, a literal text, or null
   */
  commit(
    id: number,
    content: unknown,
    of: { date?: Date; branch?: string; touches?: boolean } = {},
  ): FakeCommit {
    const project = this.project(id);
    const date = of.date ?? new Date();
    const commit: FakeCommit = {
      sha: createHash('sha1').update(randomBytes(20)).digest('hex'),
      date,
      content: typeof content === 'string' || content === null ? content : JSON.stringify(content),
      touches: of.touches ?? true,
    };
    const branch = of.branch ?? project.defaultBranch;
    project.branches.set(branch, [...(project.branches.get(branch) ?? []), commit]);
    if (date.getTime() - project.lastActivityAt.getTime() > HOUR_MS) project.lastActivityAt = date;
    return commit;
  }

  /** Force-pushes: the default branch then has these commits, oldest first. */
  rewrite(id: number, commits: readonly FakeCommit[]): void {
    const project = this.project(id);
    project.branches.set(project.defaultBranch, [...commits]);
  }

  /** Deletes late, as GitLab does: the path is free at once, and the project disappears some days later. */
  markForDeletion(id: number): void {
    const project = this.project(id);
    project.markedForDeletionOn = new Date().toISOString().slice(0, 10);
    project.path = `${project.path}-deletion_scheduled-${id}`;
  }

  restore(id: number): void {
    const project = this.project(id);
    project.markedForDeletionOn = null;
    project.path = project.path.replace(`-deletion_scheduled-${id}`, '');
  }

  addHook(id: number, url: string, token: string): FakeHook {
    const hook: FakeHook = {
      id: (this.#hooks += 1),
      url,
      token,
      push_events: true,
      enable_ssl_verification: true,
      alert_status: 'executable',
      disabled_until: null,
    };
    this.project(id).hooks.push(hook);
    return hook;
  }

  project(id: number): FakeProject {
    const project = this.projects.get(id);
    if (!project) throw new Error(`no project ${id}`);
    return project;
  }

  /** The default branch's commits that touched the item, oldest first. */
  history(id: number, branch = this.project(id).defaultBranch): FakeCommit[] {
    return (this.project(id).branches.get(branch) ?? []).filter(({ touches }) => touches);
  }

  /** id → sha of the latest revision of each project that has an item. */
  latest(): Record<string, string> {
    const items: Record<string, string> = {};
    for (const { id } of this.projects.values()) {
      const last = this.history(id).at(-1);
      if (last && last.content !== null) items[id] = last.sha;
    }
    return items;
  }
}
