/** The lines of a pod's log as the apiserver sends them, `<RFC 3339 stamp> <text>`, and places among them. Pure. */

/** The last line that was read: its stamp, and how many lines with that stamp were read. */
export type LogMark = { readonly stamp: string; readonly lines: number };

export function parseMark(mark: string | null): LogMark {
  const [stamp = '', lines = '0'] = mark?.split('#') ?? [];
  return { stamp, lines: Number(lines) };
}

/** A line longer than this is cut: a program that never ends its line must not take our memory. */
export const LINE_BYTES = 256 * 1024;

export type LineSplitter = {
  /** The lines that a chunk completes, with their ends. */
  add(chunk: Buffer): Generator<Buffer>;
  /** What came after the last line's end. */
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
    const words = leftOut > 0 ? ` [Syncrator: ${leftOut} bytes of this line are left out]` : '';
    const line = Buffer.concat([...parts, Buffer.from(`${words}\n`)]);
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

/** Where there is no stamp, the kubelet says in words that it has no such log. */
export function hasStamp(line: Buffer): boolean {
  const first = line[0] ?? 0;
  return first >= 0x30 && first <= 0x39;
}

/** RFC 3339 with up to nine decimals, which the container runtime cuts at trailing zeros. */
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
