/** The facts that the bytes of a text file tell. */
export type Scan = {
  readonly take: (bytes: Uint8Array) => void;
  /** @throws CutFileError */
  readonly end: () => Scanned;
};

export type Scanned = {
  /** null: only DuckDB counts. */
  readonly records: number | null;
  /** Names of a CSV file's columns, and what separates them. */
  readonly header?: { readonly names: readonly string[]; readonly separator: string };
  /** The first line of a CSV file with a line break in quotes: behind it, lines and rows differ. */
  readonly firstBroken?: number;
  /** The bytes of the longest record of a CSV file. */
  readonly longest?: number;
  /** The last line ends with a line break; null where that tells nothing. */
  readonly lineEnded: boolean | null;
};
