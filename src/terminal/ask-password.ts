/** Reads a password, hidden at the terminal or from a pipe; never from an argument. */
import { text } from 'node:stream/consumers';

/** Ctrl-C at the question. */
export class NotAnswered extends Error {}

/** Reads one line. @param question shown only on a terminal. @throws NotAnswered */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, '');
  const { isCancel, password } = await import('@clack/prompts');
  const typed = await password({ message: question, output: process.stderr });
  if (isCancel(typed)) throw new NotAnswered('cancelled');
  return typed ?? '';
}
