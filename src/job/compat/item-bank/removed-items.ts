/** For delete: finds items whose file was removed while their project still exists. */
import { GitlabFault } from '../gitlab/gitlab-fault.ts';
import { forEachConcurrently } from './concurrency.ts';
import type { BankContext } from './bank-context.ts';
import { lookUpstream } from './upstream.ts';

/** Re-checks the items that a sync or delta marked as removed. If GitLab gives no clear answer, the item stays. */
export async function removedItems({ bank, items, options, stop, log }: BankContext): Promise<Set<string>> {
  const confirmed = new Set<string>();
  await forEachConcurrently(
    [...(await items.removed())],
    { concurrency: options.concurrency, stop },
    async ([id, known]) => {
      try {
        const project = await bank.gitlab.project(id);
        if (project === null || project.isMarked) return;
        const { kind } = await lookUpstream(bank.gitlab, project, known);
        if (kind === 'removed') confirmed.add(id);
      } catch (error) {
        if (!(error instanceof GitlabFault)) throw error;
        if (error.endsRun) throw error.asJobError();
        log.info(`item ${id} is kept, because its file may exist: ${error.message}`);
      }
    },
  );
  return confirmed;
}
