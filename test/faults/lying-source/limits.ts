/** The limits of the guards that a lie sets. */

import type { Limits } from './model.ts';

export function limitsOf({
  environment = {},
  options,
}: {
  readonly environment?: Readonly<Record<string, string>>;
  readonly options?: string;
}): Limits {
  const update = environment['SYNCRATOR_MAX_UPDATE_PERCENT'];
  return {
    maxDeletePercent: Number(environment['SYNCRATOR_MAX_DELETE_PERCENT'] ?? 10),
    maxDeleteRecords: 5,
    maxUpdatePercent: update === undefined ? null : Number(update),
    force: options === '--force-delete',
    holds: true,
  };
}
