/** The one error of the sync program: why it ends, as the exit code a runner will see (src/domain/exit-code.ts). */

import { EXIT } from '../domain/exit-code.ts';

export type JobErrorCode = Exclude<keyof typeof EXIT, 'ok'>;

export class JobError extends Error {
  override readonly name = 'JobError';
  readonly code: JobErrorCode;

  constructor(code: JobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return EXIT[this.code];
  }
}

/** The source did not list everything: what was read is a part, and going on from it would stay one. */
export class IncompleteListingError extends JobError {
  constructor(message: string) {
    super('failed', `incomplete listing: ${message}`);
  }
}

/** What was loaded is not what was read. */
export class WrongLoadError extends JobError {
  constructor(message: string) {
    super('failed', `verification: ${message}`);
  }
}

/** An error's message with those of its causes: fetch hides the reason (ECONNREFUSED …) one level down. */
export function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (
    let at: unknown = error;
    at !== undefined && parts.length < 4;
    at = at instanceof Error ? at.cause : undefined
  ) {
    const words =
      at instanceof Error ? at.message || (at as NodeJS.ErrnoException).code || at.name : JSON.stringify(at);
    if (!parts.some((part) => part.includes(words))) parts.push(words);
  }
  return parts.join(': ');
}
