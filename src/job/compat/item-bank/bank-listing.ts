/**
 * Lists the ids of the items that stay, for the shared action delete. An item is removed if its project is no
 * longer in the group, is marked for deletion, or no longer has the item's file.
 */
import type { Census } from '../gitlab/census.ts';
import { GitlabFault } from '../gitlab/gitlab-fault.ts';
import { listProjects } from '../gitlab/project-pages.ts';
import type { Evidence, Source } from '../../sources/source.ts';
import { forEachConcurrently } from './concurrency.ts';
import { removedItems } from './removed-items.ts';
import type { BankContext } from './bank-context.ts';

export function bankListing(context: BankContext): Pick<Source, 'ids' | 'evidence' | 'stillThere'> {
  const { bank, options, stop, log } = context;
  const { gitlab, settings } = bank;
  let evidence: Evidence = { complete: false, words: 'no project was listed' };
  let removed: ReadonlySet<string> = new Set();

  /** Returns no id for an empty group, which the delete guard then refuses. */
  async function idsToKeep(): Promise<string[]> {
    const { projects, census } = await listProjects(gitlab);
    evidence = evidenceOf(census);
    log.info(`listing: ${evidence.words}`);
    if (projects.length === 0) return [];
    removed = await removedItems(context);
    const marked = projects.filter(({ isMarked }) => isMarked).length;
    if (marked > 0) log.info(`projects marked for deletion: ${marked}; their items will be removed`);
    const stay = projects.filter(({ id, isMarked }) => !isMarked && !removed.has(id));
    // Ids consist of digits, so the default order is byte order.
    return [...new Set([...stay.map(({ id }) => id), ...settings.ignore])].toSorted();
  }

  async function isThere(id: string): Promise<boolean> {
    if (settings.ignore.has(id)) return true;
    if (removed.has(id)) return false;
    try {
      const project = await gitlab.project(id);
      if (project === null || project.isMarked) return false;
      log.info(`item ${id} is kept: its project exists although it was not listed`);
    } catch (error) {
      if (!(error instanceof GitlabFault)) throw error;
      if (error.endsRun) throw error.asJobError();
      log.info(`item ${id} is kept, because its project may exist: ${error.message}`);
    }
    return true;
  }

  return {
    async *ids(batchSize) {
      const keep = await idsToKeep();
      for (let start = 0; start < keep.length; start += batchSize) {
        const ids = keep.slice(start, start + batchSize);
        yield { ids, rejected: [], cursor: { after: ids.at(-1) ?? '', done: start + ids.length } };
      }
    },

    evidence: async () => evidence,

    async stillThere(ids) {
      const there = new Set<string>();
      await forEachConcurrently(ids, { concurrency: options.concurrency, stop }, async (id) => {
        if (await isThere(id)) there.add(id);
      });
      return there;
    },
  };
}

/**
 * Above 10,000 projects GitLab reports no total: then each item that the listing lacks is checked by its own
 * request.
 */
function evidenceOf(census: Census): Evidence {
  const { complete, words } = census.evidence();
  return census.isCounted
    ? { complete, words }
    : {
        complete: true,
        words: `${words}: the listing is unproven, so each item that it lacks is checked individually`,
      };
}
