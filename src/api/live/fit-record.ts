/** Whether the content of a record may stand in a body: one odd record must not keep all others from being shown. */
import { checkValue } from '../http/input-checks.ts';
import { Problem } from '../http/problem.ts';

/** @param depth of the record within its body */
export function isFit(record: unknown, depth: number): boolean {
  try {
    checkValue(record, 'the record', depth);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}
