/** The options that every command takes: the form of its output, and the reason kept in the audit. */
import type { Command } from 'commander';
import { CliFailure } from './failure.ts';
import { type Format, FORMATS } from './output.ts';

/** @throws CliFailure for an unknown form */
export function formatOf(command: Command): Format {
  const { output = 'table' } = command.optsWithGlobals<{ output?: string }>();
  const format = FORMATS.find((known) => known === output);
  if (!format) throw new CliFailure(`invalid --output '${output}' (expected ${FORMATS.join(', ')})`);
  return format;
}

/** The reason of `--reason`, for the audit. */
export function reasonOf(command: Command): string | undefined {
  return command.optsWithGlobals<{ reason?: string }>().reason;
}
