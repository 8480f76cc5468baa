/** The fault of a part of a command that goes on with its other parts. */
import { EXIT } from '../domain/exit-code.ts';
import { maskCredentials } from '../domain/mask.ts';
import { JobError, reasonOf } from './job-error.ts';

/** One reason and its fix. */
export type Fault = { readonly fault: string; readonly exit_code: number };

export async function orFault<T>(work: () => Promise<T>): Promise<T | Fault> {
  try {
    return await work();
  } catch (error) {
    const exitCode = error instanceof JobError ? error.exitCode : EXIT.failed;
    return { fault: maskCredentials(reasonOf(error)), exit_code: exitCode };
  }
}
