#!/usr/bin/env node
/** `syncrator`: runs a command and ends with a code that tells how it went. */
import { CommanderError } from 'commander';
import { NotAnswered } from '../ask-password.ts';
import { CliFailure, EXIT } from './failure.ts';
import { createCommands, createProgram } from './program.ts';

const [command, dashes, ...words] = process.argv.slice(2);
try {
  if (command === 'complete' && dashes === '--') {
    // A shell asks, at each press of its key: loaded for it alone.
    const { complete } = await import('./completion.ts');
    await complete(createCommands(process.env), words, process.env);
  } else await createProgram(process.env).parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}

/** @returns what the process ends with */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has told by itself
  if (error instanceof NotAnswered) return EXIT.interrupted;
  process.stderr.write(`syncrator: ${wordsOf(error)}\n`);
  return error instanceof CliFailure ? error.exitCode : EXIT.usage;
}

/** With the causes: an outer message alone may only say what was tried. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${wordsOf(error.cause)}`;
}
