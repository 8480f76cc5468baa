/** Errors that a source answers in the words of OAI-PMH. */
import { HttpFault } from '../../http/http-fault.ts';
import { JobError } from '../../job-error.ts';

export type OaiError = { readonly code: string; readonly words: string };

/** The fixes that an operator can make, by code. */
const FIXES: Readonly<Record<string, string>> = {
  cannotDisseminateFormat: 'set OAI_PREFIX to a format that ?verb=ListMetadataFormats of the source lists',
  noSetHierarchy: 'the source has no sets; leave OAI_SET out',
  badArgument: 'check OAI_PREFIX and OAI_SET',
};
const WRONG_SETTINGS: ReadonlySet<string> = new Set(['cannotDisseminateFormat', 'noSetHierarchy']);
const LONGEST = 300;

/** The error that ends the run, with the codes and words of the source. */
export function oaiFailure(errors: readonly OaiError[], shownAs: string): JobError {
  const told = errors.map(({ code, words }) => (words === '' ? code : `${code}: ${words.slice(0, LONGEST)}`));
  const [fix = ''] = errors.flatMap(({ code }) => FIXES[code] ?? []);
  const words = `${shownAs} answers the error ${told.join('; ')}${fix && `; ${fix}`}`;
  if (errors.some(({ code }) => WRONG_SETTINGS.has(code))) return new JobError('notConfigured', words);
  return new HttpFault('bad_answer', words).toJobError();
}

export function areAll(errors: readonly OaiError[], code: string): boolean {
  return errors.length > 0 && errors.every((error) => error.code === code);
}
