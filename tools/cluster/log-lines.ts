/** The lines of a container's log in the CRI format, and which part of them a request wants. */

export type LogQuery = {
  readonly timestamps: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly limitBytes?: number;
};

export type LineFilter = {
  /** The lines of the answer. */
  (lines: readonly string[]): string;
  /** True once the answer holds `limitBytes`. */
  full(): boolean;
};

/** `2026-01-02T03:04:05.123456789Z stdout F text` */
export function parseLine(line: string): { time: string; at: number; text: string } {
  const [time = '', , , ...words] = line.split(' ');
  return { time, at: Date.parse(`${time.slice(0, 23)}Z`), text: words.join(' ') };
}

export function lineFilter(query: LogQuery): LineFilter {
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  const filter = (lines: readonly string[]) => {
    const whole = lines
      .map(parseLine)
      .map(({ time, text }) => (query.timestamps ? `${time} ${text}\n` : `${text}\n`))
      .join('');
    if (Buffer.byteLength(whole) <= left) {
      left -= Buffer.byteLength(whole);
      return whole;
    }
    const cut = Buffer.from(whole).toString('utf8', 0, left);
    left = 0;
    return cut;
  };
  return Object.assign(filter, { full: () => left <= 0 });
}
