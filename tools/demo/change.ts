/** `npm run demo:change`: changes the records of the running demo source. */

import { parseArgs } from 'node:util';
import { dataDirectory, readAddress } from './files.ts';

const HELP = `Changes the records of the running demo source.

  npm run demo:change -- --change 7 --remove 3   change seven records, remove three others
  npm run demo:change -- --empty                 remove all of them
  npm run demo:change -- --restore               bring back all removed records

Then start a delta or a delete and see what it does; \`npm run demo:verify\` compares source and sink.`;

/** Runs one command line; returns what to print and the exit code. */
export async function changeDemo(
  argv: readonly string[],
  dataDir: string,
): Promise<{ text: string; exitCode: number }> {
  let request: { path: string; body?: unknown };
  try {
    const parsed = readArguments(argv);
    if (parsed === null) return { text: HELP, exitCode: 0 };
    request = parsed;
  } catch (error) {
    return { text: `${(error as Error).message}\n\n${HELP}`, exitCode: 2 };
  }
  const address = readAddress(dataDir);
  if (!address) return notRunning(`no ${dataDir}/demo/source.json`);
  let response: Response;
  try {
    response = await fetch(`${address.url}${request.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request.body ?? {}),
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    return notRunning(`nothing answers at ${address.url}`);
  }
  if (!response.ok)
    return { text: `the source answered ${response.status}: ${await response.text()}`, exitCode: 1 };
  return { text: told(await response.json()), exitCode: 0 };
}

function readArguments(argv: readonly string[]): { path: string; body?: unknown } | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      change: { type: 'string' },
      remove: { type: 'string' },
      empty: { type: 'boolean' },
      restore: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  const counting = values.change !== undefined || values.remove !== undefined;
  if ([counting, values.empty, values.restore].filter(Boolean).length !== 1) {
    throw new Error('give one of --change/--remove, --empty, --restore');
  }
  if (values.empty) return { path: '/empty' };
  if (values.restore) return { path: '/restore' };
  return { path: '/change', body: { change: count(values.change), remove: count(values.remove) } };
}

function count(text = '0'): number {
  if (!/^\d{1,7}$/.test(text)) throw new Error(`not a number of records: ${JSON.stringify(text)}`);
  return Number(text);
}

function told(answer: unknown): string {
  return Object.entries(answer as Record<string, number | string[]>)
    .map(([what, value]) => {
      if (typeof value === 'number') return `${what}: ${value}`;
      const shown = value.slice(0, 10).join(', ');
      return `${what}: ${value.length}${value.length > 0 ? ` (${shown}${value.length > 10 ? ', …' : ''})` : ''}`;
    })
    .join('\n');
}

function notRunning(why: string): { text: string; exitCode: number } {
  return { text: `the demo source is not running (${why}); start it with: npm start`, exitCode: 1 };
}

if (import.meta.main) {
  const { text, exitCode } = await changeDemo(process.argv.slice(2), dataDirectory());
  (exitCode === 0 ? console.log : console.error)(text);
  process.exitCode = exitCode;
}
