/** Parses values that several commands take. */
import { InvalidArgumentError } from 'commander';

/** Parses the length of a list. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError('expected a number from 1 to 100');
  return value;
}

const JOB_ID = /^[1-9]\d{0,8}$/;

export function isJobId(text: string): boolean {
  return JOB_ID.test(text);
}

export function jobId(text: string): number {
  if (!isJobId(text)) throw new InvalidArgumentError('expected a job id, e.g. 7');
  return Number(text);
}

export function planId(text: string): number {
  if (!isJobId(text)) throw new InvalidArgumentError('expected the id of a plan, e.g. 7');
  return Number(text);
}

export function lossId(text: string): number {
  if (!isJobId(text)) throw new InvalidArgumentError('expected the id of a waiting set, e.g. 7');
  return Number(text);
}
