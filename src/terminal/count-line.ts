/** Shows the progress of many equal parts on one line: a bar, the count, and the time left. Redrawn in place on a terminal. */
import { duration } from '../client/format.ts';
import { bar } from './bar.ts';

/** Milliseconds between two updates: on a terminal, and to a pipe. */
const REDRAW_MS = 100;
const QUIET_MS = 10_000;

export type CountDisplay = { show(done: number): void; end(): void };

/** Writes to stderr: programs read stdout. */
export function createCountDisplay(total: number, out: NodeJS.WriteStream = process.stderr): CountDisplay {
  const began = Date.now();
  let shownAt = out.isTTY ? 0 : began;
  const line = (done: number) => {
    const seconds = (Date.now() - began) / 1000;
    const left = done === 0 ? '' : `  ${duration((seconds / done) * Math.max(0, total - done))} left`;
    const percent = total === 0 ? 100 : (done / total) * 100;
    return `${bar(percent)} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}${left}`;
  };
  return {
    show(done) {
      if (Date.now() - shownAt < (out.isTTY ? REDRAW_MS : QUIET_MS)) return;
      shownAt = Date.now();
      out.write(out.isTTY ? `\r\u001b[K${line(done)}` : `${line(done)}\n`);
    },
    end() {
      if (out.isTTY) out.write('\r\u001b[K');
    },
  };
}
