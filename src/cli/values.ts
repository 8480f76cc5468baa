/** Values that several commands take. */
import { InvalidArgumentError } from 'commander';

/** How many of a list. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError('It must be a number from 1 to 100.');
  return value;
}
