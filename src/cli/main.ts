#!/usr/bin/env node
/** `syncrator`: runs a command and sets the exit code by its outcome. */
import { CommanderError } from 'commander';
import { NotAnswered } from '../terminal/ask-password.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { shown } from '../terminal/output.ts';
import { createProgram } from './program.ts';

const [command, dashes, ...words] = process.argv.slice(2);
try {
  if (command === 'complete' && dashes === '--') {
    // Loaded only for a shell, which asks at each press of its completion key.
    const { complete } = await import('./completion.ts');
    await complete(createProgram(process.env), words, process.env);
  } else await createProgram(process.env).parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}

/** Prints the error. @returns the exit code */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // commander has printed it
  if (error instanceof NotAnswered) return EXIT.interrupted;
  process.stderr.write(`syncrator: ${shown(wordsOf(error), process.stderr)}\n`);
  return error instanceof CliFailure ? error.exitCode : EXIT.usage;
}

/** Appends the causes: an outer message alone may only name the attempt. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${wordsOf(error.cause)}`;
}
