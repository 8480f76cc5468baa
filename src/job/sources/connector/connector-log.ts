/** Passes on what a connector writes about its work: masked, in lines of bounded length, and not without end. */
export type ConnectorLog = {
  readonly line: (text: string) => void;
  /** The reason of a failure, in the connector's words; it also counts as a line. */
  readonly failure: (text: string) => void;
  /** The last failure, else the last line; null without both. */
  readonly lastWords: () => string | null;
  /** Says how many lines were left out. */
  readonly end: () => void;
};

const MOST_LINES = 1_000;
const MOST_LENGTH = 2_000;
const MOST_WORDS = 500;

export function createConnectorLog(
  write: (line: string) => void,
  mask: (text: string) => string,
): ConnectorLog {
  let lines = 0;
  let failure: string | null = null;
  let last: string | null = null;

  function line(text: string): void {
    // Control characters could change what a terminal shows.
    const shown = mask(text)
      .replaceAll(/\p{Cc}+/gu, ' ')
      .trim();
    if (shown === '') return;
    last = shown;
    lines += 1;
    if (lines <= MOST_LINES) write(`connector: ${cut(shown, MOST_LENGTH)}`);
  }

  return {
    line,
    failure(text) {
      line(text);
      failure = last;
    },
    lastWords() {
      const words = failure ?? last;
      return words === null ? null : cut(words.replaceAll(/\s+/g, ' '), MOST_WORDS);
    },
    end() {
      if (lines > MOST_LINES)
        write(
          `connector: ${lines - MOST_LINES} more lines were left out; the last one: ${cut(last ?? '', MOST_WORDS)}`,
        );
      lines = 0;
      failure = last = null;
    },
  };
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
