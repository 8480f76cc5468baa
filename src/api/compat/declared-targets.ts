/**
 * Checks that params files declare the targets that ITEM_BANK and ACCOUNT name. Api and worker use no others: both would
 * otherwise follow the same files to different states.
 */
import type { Config } from '../../config/config.ts';
import type { JobParams } from '../../job-params/load.ts';

/** The actions that the bank must declare: `sync` for all items, `delta` for changed or named ones. */
const BANK_ACTIONS = ['sync', 'delta'] as const;
export type BankAction = (typeof BANK_ACTIONS)[number];
/** The action that an account must declare. */
export const ACCOUNT_ACTION = 'sync';

/** The missing part, and the setting that needs it. */
export function faultOfNamedTargets(
  { itemBank: bank, account }: Pick<Config, 'itemBank' | 'account'>,
  params: JobParams,
): string | undefined {
  const missing = bank ? BANK_ACTIONS.filter((action) => !params.find({ ...bank, action })) : [];
  if (bank && missing.length > 0) {
    const files = missing.map((action) => `${bank.env}/${bank.name}-${action}.public_params`);
    return `ITEM_BANK=${bank.name}/${bank.env} needs ${files.join(' and ')} in job_params`;
  }
  if (!account || params.find({ ...account, action: ACCOUNT_ACTION })) return undefined;
  const { name, env } = account;
  return `ACCOUNT=${name}/${env}: job_params declares no ${ACCOUNT_ACTION} of it (${env}/${name}-${ACCOUNT_ACTION}.public_params)`;
}
