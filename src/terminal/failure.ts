/** The failures of commands, each with its exit code. */

export const EXIT = { ok: 0, usage: 1, runFailed: 2, unreachable: 3, interrupted: 130 } as const;

/** Ends a command with a message of a few lines, without a stack. */
export class CliFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}
