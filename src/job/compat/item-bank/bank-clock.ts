/** Computes watermarks of the item bank from the earlier of two clocks: ours and GitLab's. */
import type { Gitlab } from '../gitlab/gitlab.ts';
import type { BankContext } from './bank-context.ts';

/** The start of the next delta, as known so far: later answers may show an earlier clock of GitLab. */
export function watermarkOf({ bank, began, watermarkMarginMs }: BankContext): Date {
  return new Date(readAt(bank.gitlab, began).getTime() - watermarkMarginMs);
}

/** The current time by the clock that is behind. */
export function readAt(gitlab: Pick<Gitlab, 'clock'>, ours: Date): Date {
  const { earliest } = gitlab.clock();
  return earliest === null || earliest > ours ? ours : earliest;
}
