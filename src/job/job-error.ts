/** The errors that end the sync program; each maps to an exit code (src/domain/exit-code.ts). */
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

/** The source did not list everything. The load is dropped: a resume would keep it incomplete. */
export class IncompleteListingError extends JobError {
  constructor(message: string) {
    super('incompleteListing', `incomplete listing: ${message}`);
  }
}

/** The load does not hold exactly the records that were read. */
export class WrongLoadError extends JobError {
  constructor(message: string) {
    super('failed', `verification: ${message}`);
  }
}

/** Joins the messages of an error and its causes: fetch hides the reason (ECONNREFUSED …) in `cause`. */
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
