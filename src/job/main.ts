/** The sync program's composition root: arguments in, exit code out. `--help` teaches the rest. */

import { EXIT } from '../domain/exit-code.ts';
import { parseArguments } from './arguments.ts';
import { JobError } from './job-error.ts';
import { runJob } from './run-job.ts';

const argv = process.argv.slice(2);
const parsed = parseArguments(argv);
if (parsed.kind !== 'run') {
  (parsed.kind === 'help' ? process.stdout : process.stderr).write(`${parsed.text.trim()}\n`);
  process.exit(parsed.kind === 'help' ? EXIT.ok : EXIT.usage);
}

const terminate = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => terminate.abort(new JobError('terminated', `ended by ${signal}`)));
}
process.exit(
  await runJob({ arguments: parsed.arguments, optionsText: argv.join(' '), terminate: terminate.signal }),
);
