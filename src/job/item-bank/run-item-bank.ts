/** The item bank's actions: sync and delta in place, and the delete that every source has. */

import type { ActionContext } from '../actions/action.ts';
import { deleteGone } from '../actions/delete.ts';
import type { Action, JobArguments } from '../arguments.ts';
import { JobError } from '../job-error.ts';
import type { Items } from '../sinks/items.ts';
import { createGitlab } from '../sources/gitlab/gitlab.ts';
import type { GitlabSettings } from '../sources/gitlab/gitlab-settings.ts';
import { listIds } from '../sources/gitlab/project-pages.ts';
import type { Bank } from './bring-item.ts';
import { bringUpToDate } from './bring-up-to-date.ts';
import { removedItems } from './removed-items.ts';

export type ItemBankContext = Omit<ActionContext, 'source' | 'options'> & {
  readonly options: JobArguments;
  /** Resolves when what was last told has been reported, or could not be. */
  readonly saved: () => Promise<void>;
};

/** The same, with the bank at hand. */
export type BankContext = ItemBankContext & { readonly bank: Bank; readonly items: Items };

export async function runItemBank(
  action: Exclude<Action, 'rollback'>,
  settings: GitlabSettings,
  context: ItemBankContext,
): Promise<void> {
  const gitlab = createGitlab(settings, context.stop);
  const { items } = context.sink;
  if (!items) throw new JobError('notConfigured', 'SOURCE=gitlab needs SINK=postgres');
  const bankContext: BankContext = { ...context, items, bank: { gitlab, items, settings } };
  if (action === 'delete') {
    const ids = async function* (): AsyncGenerator<readonly string[]> {
      yield await idsToKeep(bankContext);
    };
    return await deleteGone({ ...context, source: { ids } });
  }
  await bringUpToDate(bankContext, context.options.items.length > 0 ? 'some' : action);
}

/** Nothing at all where the group is empty, which the guard of `delete` refuses. */
async function idsToKeep(context: BankContext): Promise<string[]> {
  const { gitlab, settings } = context.bank;
  const listed = await listIds(gitlab);
  if (listed.length === 0) return [];
  const removed = await removedItems(context);
  return [...new Set([...listed.filter((id) => !removed.has(id)), ...settings.ignore])];
}
