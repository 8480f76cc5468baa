/** Parses the lines of a pod's log as the apiserver sends them, `<RFC 3339 stamp> <text>`, and positions in it. Pure. */

/** Stamp of the last line read, and the number of lines read with that stamp. */
export type LogMark = { readonly stamp: string; readonly lines: number };

export function parseMark(mark: string | null): LogMark {
  const [stamp = '', lines = '0'] = mark?.split('#') ?? [];
  return { stamp, lines: Number(lines) };
}

/** Longest line; the rest is dropped, so that a program that never ends its line cannot fill our memory. */
const LINE_BYTES = 256 * 1024;

export type LineSplitter = {
  /** Yields the lines that a chunk completes, each with its newline. */
  add(chunk: Buffer): Generator<Buffer>;
  /** The text after the last newline. */
  rest(): Buffer;
};

export function splitLines(): LineSplitter {
  let parts: Buffer[] = [];
  let size = 0;
  let leftOut = 0;
  const keep = (part: Buffer) => {
    const room = part.subarray(0, Math.max(0, LINE_BYTES - size));
    leftOut += part.length - room.length;
    size += room.length;
    if (room.length > 0) parts.push(room);
  };
  const finish = (): Buffer => {
    const note = leftOut > 0 ? ` [Syncrator: ${leftOut} bytes of this line are left out]` : '';
    const line = Buffer.concat([...parts, Buffer.from(`${note}\n`)]);
    [parts, size, leftOut] = [[], 0, 0];
    return line;
  };
  return {
    *add(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        keep(chunk.subarray(from, at));
        yield finish();
        from = at + 1;
      }
      keep(chunk.subarray(from));
    },
    rest: () => Buffer.concat(parts),
  };
}

const STAMPED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) /;

/** A line without a stamp is a message of the kubelet, or part of a line that a rotation cut. */
export function hasStamp(line: Buffer): boolean {
  return STAMPED.test(line.toString('latin1', 0, 40));
}

/** Compares RFC 3339 stamps with up to nine decimals; the container runtime omits trailing zeros. */
export function compareStamps(a: string, b: string): number {
  const seconds = Date.parse(cutDecimals(a)) - Date.parse(cutDecimals(b));
  return seconds !== 0 ? seconds : decimals(a) - decimals(b);
}

function cutDecimals(stamp: string): string {
  return stamp.replace(/\.\d+/, '');
}

function decimals(stamp: string): number {
  return Number((/\.(\d+)/.exec(stamp)?.[1] ?? '').padEnd(9, '0'));
}
