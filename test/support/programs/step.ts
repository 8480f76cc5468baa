/** The tests' step program as a process; play.ts has its behaviour. */
import { writeSync } from 'node:fs';
import { play } from './play.ts';

const told = new AbortController();
process.on('SIGTERM', () => told.abort());
const code = await play({
  args: process.argv.slice(2),
  environment: process.env,
  told: told.signal,
  print: (line) => writeSync(1, `${line}\n`),
});
process.exit(code);
