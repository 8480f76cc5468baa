/** Composition root of the sync program: parses the arguments, runs the action, exits with its code. See `--help`. */
import './v8-flags.ts';
import { EXIT } from '../domain/exit-code.ts';
import { parseArguments, parseCheck } from './arguments.ts';
import { runCheck } from './check/check.ts';
import { runDiscover } from './discover.ts';
import { JobError } from './job-error.ts';
import { runAction } from './run-action.ts';

const argv = process.argv.slice(2);
const terminate = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => terminate.abort(new JobError('terminated', `ended by ${signal}`)));
if (argv.length === 1 && argv[0] === 'connector')
  process.exit(
    await runDiscover({
      environment: process.env,
      terminate: terminate.signal,
      write: (text) => void process.stdout.write(text),
      writeLog: (line) => void process.stderr.write(`${line}\n`),
    }),
  );
const isCheck = argv[0] === 'check';
const parsed = isCheck ? parseCheck(argv) : parseArguments(argv);
if (parsed.kind !== 'run') {
  (parsed.kind === 'help' ? process.stdout : process.stderr).write(`${parsed.text.trim()}\n`);
  process.exit(parsed.kind === 'help' ? EXIT.ok : EXIT.usage);
}

process.exit(
  isCheck
    ? await runCheck({
        given: parsed.arguments,
        environment: process.env,
        terminate: terminate.signal,
        json: argv.includes('--json'),
        write: (text) => void process.stdout.write(text),
      })
    : await runAction({
        arguments: parsed.arguments,
        optionsText: argv.join(' '),
        terminate: terminate.signal,
      }),
);
