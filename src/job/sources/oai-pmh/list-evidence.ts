/** Decides whether a list that has ended is proven complete. Pure. */

/** A source that changes during the list tells several sizes; they may differ by this fraction. */
const TOLERANCE = 0.1;

export type Sizes = { readonly least: number; readonly most: number };

/** A list, or the part of it between two datestamps, as it was read. */
export type ListEnd = {
  /** Entries, each once, deleted ones included. */
  readonly entries: number;
  readonly pages: number;
  readonly emptyPages: number;
  /** The least and the most completeListSize that was told; null: none was. */
  readonly sizes: Sizes | null;
  /**
   * `marked`: by an empty resumptionToken; `whole`: by the only page, without a token; `unmarked`: by a later page
   * without a token; `nothing`: by a page that says noRecordsMatch after others.
   */
  readonly end: 'marked' | 'whole' | 'unmarked' | 'nothing';
};

/** The reason why the list is not proven complete; null if it is. @param unmarkedEnds OAI_UNMARKED_END */
export function doubtOf({ entries, emptyPages, sizes, end }: ListEnd, unmarkedEnds: boolean): string | null {
  if (sizes !== null) {
    const { least, most } = sizes;
    const told = `completeListSize ${least === most ? String(least) : `from ${least} to ${most}`}`;
    if (most - least > most * TOLERANCE) return `the source tells ${told}: these differ by more than 10 %`;
    return entries >= least && entries <= most ? null : `the list has ${entries} entries, but ${told}`;
  }
  if (end === 'unmarked' && !unmarkedEnds)
    return 'the last page has no resumptionToken (an empty one ends a list), and the source tells no completeListSize; set OAI_UNMARKED_END=true if its lists always end so';
  if (end === 'nothing') return 'the list ended with the error noRecordsMatch after its first page';
  if (emptyPages > 0) return 'a page of the list is empty, and the source tells no completeListSize';
  return null;
}

/** The proof in words. */
export function proofOf(lists: readonly ListEnd[]): string {
  const isSized = lists.every(({ sizes }) => sizes !== null);
  if (isSized) return 'as many as completeListSize';
  const isMarked = lists.every(({ sizes, end }) => sizes !== null || end !== 'unmarked');
  return isMarked
    ? 'up to the end that the source marks'
    : 'up to a page without a resumptionToken, which ends a list by OAI_UNMARKED_END';
}
