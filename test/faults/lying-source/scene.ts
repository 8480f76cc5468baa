/** A source in one case: it tells lies and the truth, and knows what the model needs. */

import type { Limits, Mode, Row, Step, Told } from './model.ts';
import type { Ended } from './program-run.ts';
import type { Story } from './story.ts';

export type Teller = {
  /** Places of a lie and sizes of a run, by chance. */
  readonly chosen: number;
  /** Ids that exist when they are requested again. */
  readonly answers: ReadonlySet<string>;
  /** The facts about the lie that the model needs. */
  told(mode: Mode): Told;
  /** How many records the run names as set aside. */
  rejects(mode: Mode): number;
  lie(action: string, step: Step): Promise<Ended>;
  honestly(action: string, rows: readonly Row[], proven?: boolean): Promise<Ended>;
};

export type Scene = {
  readonly story: Story;
  readonly teller: Teller;
  readonly limits: Limits;
  /** A record as this source can tell it. */
  readonly shape: (row: Row) => Row;
};
