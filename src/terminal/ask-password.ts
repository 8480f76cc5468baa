/** Reads a password, hidden at the terminal or from a pipe; never from an argument. */
import { text } from 'node:stream/consumers';

/** Ctrl-C at the question. */
export class NotAnswered extends Error {}

/** Reads one line. @param question shown only on a terminal. @throws NotAnswered */
export async function askPassword(question: string): Promise<string> {
  return process.stdin.isTTY ? await typeHidden(question) : (await text(process.stdin)).replace(/\r?\n$/, '');
}

/** Reads in raw mode, in which the terminal echoes no key. */
function typeHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const { stdin } = process;
  stdin.setRawMode(true).setEncoding('utf8').resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const done = (finish: () => void) => {
      stdin.off('data', onData).setRawMode(false).pause();
      process.stderr.write('\n');
      finish();
    };
    const onData = (keys: string) => {
      for (const key of keys) {
        if (key === '\u0003') return done(() => reject(new NotAnswered('cancelled')));
        if (key === '\r' || key === '\n' || key === '\u0004') return done(() => resolve(typed));
        typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key;
      }
    };
    stdin.on('data', onData);
  });
}
