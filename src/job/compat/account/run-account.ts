/** Runs sync and delta, which are the same for an account, and delete. */
import { deleteVerdict } from '../../../domain/guard.ts';
import type { ActionContext, Progress } from '../../actions/action.ts';
import type { JobArguments } from '../../arguments.ts';
import { JobError } from '../../job-error.ts';
import { createAccessToken } from './access-token.ts';
import { type Account, createAccountApi } from './account-api.ts';
import type { AccountSettings } from './account-settings.ts';
import { type AccountStore, createAccountStore } from './account-store.ts';

export type AccountContext = Pick<ActionContext, 'progress' | 'log' | 'stop'> & {
  readonly maxDeletePercent: number;
  readonly maxDeleteRecords: number;
  readonly options: Pick<JobArguments, 'action' | 'jobId' | 'forceDelete'>;
};

/** Takes the fence before it reads the warehouses, so that an older job that read earlier cannot write later. */
export async function runAccount(settings: AccountSettings, context: AccountContext): Promise<void> {
  const { options, progress, log, stop } = context;
  if (options.action === 'rollback')
    throw new JobError('nothingToRollBack', 'SOURCE=rest stores no earlier data to restore');
  if (options.action === 'take-over')
    throw new JobError('usage', 'take-over does not apply to SOURCE=rest: its tables have no owner');
  if (options.action === 'remove')
    throw new JobError('usage', 'remove does not apply to SOURCE=rest, which holds no removals');
  if (options.action === 'plan' || options.action === 'apply')
    throw new JobError('usage', `${options.action} does not apply to SOURCE=rest, which keeps no plans`);
  const upstream = { apiUrl: settings.apiUrl, timeoutMs: settings.timeoutMs, stop };
  const api = createAccountApi(upstream, createAccessToken(settings.credentials, upstream, log), log);
  const store = createAccountStore(settings, options.jobId);
  try {
    progress({ phase: 'reading' });
    const userId = await api.currentUser();
    await store.open(userId);
    const account = await api.account(userId);
    log.info(`user ${userId} has ${account.warehouses.length} warehouses`);
    stop.throwIfAborted();
    if (options.action === 'delete') await deleteGone(store, account, context);
    else await upsertAll(store, account, context);
  } finally {
    await store.close();
  }
}

/** `records_done` counts the user and all warehouses, changed or not, like the count of soukosync. */
async function upsertAll(
  store: AccountStore,
  account: Account,
  { progress, log }: AccountContext,
): Promise<void> {
  const total = 1 + account.warehouses.length;
  progress({ phase: 'writing', records_done: 0, records_total: total });
  const { added, updated } = await store.upsert(account);
  progress({ records_done: total, added, updated });
  log.info(`${total} upserted: ${added} added, ${updated} updated, ${total - added - updated} unchanged`);
}

async function deleteGone(
  store: AccountStore,
  account: Account,
  { options, maxDeletePercent, maxDeleteRecords, progress, log }: AccountContext,
): Promise<void> {
  const { live, gone } = await store.findRemovals(account);
  const verdict = deleteVerdict({
    live,
    source: account.warehouses.length,
    removals: gone.length,
    maxDeletePercent,
    maxDeleteRecords,
    force: options.forceDelete,
  });
  log.info(
    `guard: ${live} linked, ${account.warehouses.length} upstream, ${gone.length} to unlink: ${verdict.allowed ? 'allowed' : verdict.why}`,
  );
  if (!verdict.allowed) throw new JobError('deleteGuard', `nothing was deleted: ${verdict.why}`);
  const counts: Progress = { records_total: gone.length };
  progress({ ...counts, phase: 'deleting', records_done: 0, deleted: 0 });
  const { unlinked, removed } = await store.remove(account.user.id, gone);
  progress({ ...counts, records_done: unlinked, deleted: unlinked });
  log.info(`${unlinked} warehouses unlinked; ${removed} of them removed, because no user links to them`);
}
