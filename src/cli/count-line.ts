/** One line about a work of many equal parts: a bar, how many are done, and the time left. Redrawn in place on a terminal. */
import { duration } from '../client/words.ts';
import { bar } from './progress-line.ts';

/** How often it is told, in milliseconds: on a terminal, and to a pipe. */
const REDRAW_MS = 100;
const QUIET_MS = 10_000;

export type CountDisplay = { show(done: number): void; end(): void };

/** Writes to stderr, so that what a program reads from stdout stays clean. */
export function createCountDisplay(total: number, out: NodeJS.WriteStream = process.stderr): CountDisplay {
  const began = Date.now();
  let told = out.isTTY ? 0 : began;
  const line = (done: number) => {
    const seconds = (Date.now() - began) / 1000;
    const left = done === 0 ? '' : `  ${duration((seconds / done) * Math.max(0, total - done))} left`;
    const percent = total === 0 ? 100 : (done / total) * 100;
    return `${bar(percent)} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}${left}`;
  };
  return {
    show(done) {
      if (Date.now() - told < (out.isTTY ? REDRAW_MS : QUIET_MS)) return;
      told = Date.now();
      out.write(out.isTTY ? `\r\u001b[K${line(done)}` : `${line(done)}\n`);
    },
    end() {
      if (out.isTTY) out.write('\r\u001b[K');
    },
  };
}
