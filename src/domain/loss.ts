/** A loss: the records of a target in an env that wait for a person, because too many were missing at once. Pure. */

export const LOSS_STATUSES = ['waiting', 'resolved'] as const;
export type LossStatus = (typeof LOSS_STATUSES)[number];

/** Why the latest job that held records held them. `anomaly`: within the limits, but more than earlier runs removed. */
export const LOSS_REASONS = ['over_threshold', 'anomaly'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** A loss is overdue this long after its birth. It then waits on: nothing is ever removed by the passage of time. */
export const EXPIRES_AFTER_MS = 7 * 24 * 3_600_000;

/** Days for which `keep` pins records. */
export const KEEP_DAYS = { least: 1, most: 365, usual: 30 } as const;

/** People who must approve, where the params file of the sync does not say (APPROVALS). */
export const USUAL_APPROVALS = 1;

/** Share of the live records in percent, with one decimal. */
export function percentOfLive(count: number, live: number): number {
  return live === 0 ? 0 : Math.round((count / live) * 1000) / 10;
}

/** Whether two names in records are one person: an issuer's user has an id for ever, and behind it a name that may change. */
export function isSamePerson(one: string, other: string): boolean {
  return idOf(one) === idOf(other);
}

function idOf(shown: string): string {
  return shown.replace(/^(oidc:\S+) \(.*\)$/, '$1');
}
