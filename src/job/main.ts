/** Composition root of the sync program: parses the arguments, runs the action, exits with its code. See `--help`. */
import './v8-flags.ts';
import { EXIT } from '../domain/exit-code.ts';
import { parseArguments } from './arguments.ts';
import { JobError } from './job-error.ts';
import { runAction } from './run-action.ts';

const argv = process.argv.slice(2);
const parsed = parseArguments(argv);
if (parsed.kind !== 'run') {
  (parsed.kind === 'help' ? process.stdout : process.stderr).write(`${parsed.text.trim()}\n`);
  process.exit(parsed.kind === 'help' ? EXIT.ok : EXIT.usage);
}

const terminate = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => terminate.abort(new JobError('terminated', `ended by ${signal}`)));
process.exit(
  await runAction({ arguments: parsed.arguments, optionsText: argv.join(' '), terminate: terminate.signal }),
);
