/** How a command can fail, each with the code its process ends with. */

export const EXIT = { ok: 0, usage: 1, runFailed: 2, unreachable: 3, interrupted: 130 } as const;

/** A fault told in one line or a few; no stack is shown of it. */
export class CliFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}
