/** The context types of the item bank's actions. */
import type { ActionContext } from '../../actions/action.ts';
import type { JobArguments } from '../../arguments.ts';
import type { Items } from '../../sinks/items.ts';
import type { Bank } from './import-item.ts';
import type { RepairedHooks } from './repaired-hooks.ts';

export type ItemBankContext = Omit<ActionContext, 'source' | 'options'> & {
  readonly options: JobArguments;
  /** Resolves once the last progress was reported, or its report failed. */
  readonly saved: () => Promise<void>;
  /** How long to retry a GitLab that answers nothing, in milliseconds. */
  readonly patienceMs?: number;
};

/** The context together with the item bank. */
export type BankContext = ItemBankContext & {
  readonly bank: Bank;
  readonly items: Items;
  /** When the run began, by our clock, before anything was read. */
  readonly began: Date;
  readonly repaired: RepairedHooks;
  /** Writes a warning to log and report. */
  readonly warn: (warning: string) => void;
};
