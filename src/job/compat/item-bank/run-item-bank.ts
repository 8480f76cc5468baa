/** Runs the actions of SOURCE=gitlab: sync and delta update items in place; delete is shared with other sources. */
import { deleteGone } from '../../actions/delete.ts';
import { JobError } from '../../job-error.ts';
import type { Items } from '../../sinks/items.ts';
import type { Plannable } from '../../../domain/action.ts';
import { createGitlab } from '../gitlab/gitlab.ts';
import type { GitlabSettings } from '../gitlab/gitlab-settings.ts';
import { bankListing } from './bank-listing.ts';
import type { BankContext, ItemBankContext } from './bank-context.ts';
import type { Bank } from './import-item.ts';
import { importItems } from './import-items.ts';
import { RepairedHooks } from './repaired-hooks.ts';
import { serializeWrites } from './serialize-writes.ts';

export async function runItemBank(
  action: Plannable,
  settings: GitlabSettings,
  context: ItemBankContext,
): Promise<void> {
  const { items } = context.sink;
  if (!items) throw new JobError('notConfigured', 'SOURCE=gitlab needs SINK=postgres; set SINK');
  const bankContext = withBank(settings, serializeWrites(items), context);
  if (action === 'delete') {
    // A removal job asks the source by id, which an item bank has no source for.
    const { held: _, ...sink } = context.sink;
    return await deleteGone({ ...context, sink, source: bankListing(bankContext) });
  }
  await importItems(bankContext, context.options.items.length > 0 ? 'some' : action);
}

function withBank(settings: GitlabSettings, items: Items, context: ItemBankContext): BankContext {
  const { stop, log, progress } = context;
  const repaired = new RepairedHooks();
  const warnings: string[] = [];
  const gitlab = createGitlab(settings, {
    stop,
    onWait: (forWhat) => progress({ waiting_for: forWhat }),
    ...(context.patienceMs === undefined ? {} : { patienceMs: context.patienceMs }),
  });
  const onRepaired: Bank['onRepaired'] = ({ path }, wrong) => {
    log.info(`webhook of ${path} was ${wrong}; repaired`);
    repaired.note(path, wrong);
  };
  return {
    ...context,
    items,
    bank: { gitlab, items, settings, onRepaired },
    began: new Date(),
    repaired,
    warn(warning) {
      log.info(warning);
      warnings.push(warning);
      progress({ warnings: [...warnings] });
    },
  };
}
