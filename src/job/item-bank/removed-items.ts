/** For `delete`: the items whose file was removed while their project stays. */

import { GitlabFault } from '../sources/gitlab/gitlab-fault.ts';
import { inLanes } from './lanes.ts';
import type { BankContext } from './run-item-bank.ts';
import { lookUpstream } from './upstream.ts';

/** Those that a sync or delta found so, and that are so still; where GitLab does not say, the item is kept. */
export async function removedItems({ bank, items, options, stop, log }: BankContext): Promise<Set<string>> {
  const confirmed = new Set<string>();
  await inLanes([...(await items.removed())], { lanes: options.lanes, stop }, async ([id, known]) => {
    try {
      const project = await bank.gitlab.project(id);
      if (project === null) return;
      const { kind } = await lookUpstream(bank.gitlab, project, known);
      if (kind === 'removed') confirmed.add(id);
    } catch (error) {
      if (!(error instanceof GitlabFault)) throw error;
      if (error.kind === 'unauthorized') throw error.asJobError();
      log.info(`item ${id} is kept, since its file may be there: ${error.message}`);
    }
  });
  return confirmed;
}
