/** Sends one request of OAI-PMH and hands the elements of its answer to the caller. */
import { FILTERED } from '../../../domain/mask.ts';
import type { HttpAnswer } from '../../http/http-call.ts';
import { HttpFault, statusFault } from '../../http/http-fault.ts';
import { WEB_PAGE } from '../foreign-form.ts';
import { askSource, refuseStatus, type SourceServer } from '../source-server.ts';
import type { ClockReader } from '../source-clock.ts';
import { oaiElements } from './oai-document.ts';
import type { OaiError } from './oai-error.ts';
import { attributeOf, type XmlElement, wholeText } from './xml-element.ts';

export type OaiVerb = 'Identify' | 'ListRecords' | 'ListIdentifiers' | 'GetRecord';

/** A shorter parameter is no key, and its value may be a part of any word. */
const LEAST_KEY_LENGTH = 6;

/**
 * @param take gets each child of the verb; what it did before an error or an answer with errors does not count
 * @returns the errors that the answer consists of; empty for an answer of the verb
 * @throws HttpFault for every other answer
 */
export async function ask(
  provider: SourceServer,
  verb: OaiVerb,
  query: Readonly<Record<string, string>>,
  take: (element: XmlElement) => void,
): Promise<readonly OaiError[]> {
  const { shownAs } = provider;
  const answer = await askSource(provider, { verb, ...query });
  try {
    if (!mayTellError(answer)) refuseStatus(answer, shownAs);
    if (/^text\/html\b/i.test(answer.header('content-type') ?? ''))
      throw new HttpFault('bad_answer', `${shownAs} answers ${WEB_PAGE}`);
    return await read(answer, { provider, verb, take });
  } catch (error) {
    answer.discard();
    if (error instanceof HttpFault && answer.status !== 200 && error.status === null)
      throw statusFault(answer.status, shownAs, null);
    throw error;
  }
}

/** Some repositories send errors of the protocol with a status of their own. */
function mayTellError({ status, header }: HttpAnswer): boolean {
  return [400, 404, 409, 422].includes(status) && /\bxml\b/i.test(header('content-type') ?? '');
}

async function read(
  answer: HttpAnswer,
  of: { provider: SourceServer; verb: OaiVerb; take: (element: XmlElement) => void },
): Promise<readonly OaiError[]> {
  const { provider, verb, take } = of;
  const errors: OaiError[] = [];
  let answered: string | null = null;
  for await (const group of oaiElements(answer.chunks, provider.shownAs)) {
    for (const { within, element } of group) {
      if (within !== null) {
        if (within === verb) take(element);
      } else if (element.name === 'error') {
        const words = withoutParameters(wholeText(element), provider.url);
        errors.push({ code: attributeOf(element, 'code') ?? 'without a code', words });
      } else if (element.name === 'responseDate') {
        hearDate(provider.clock, element.text.trim());
      } else if (element.name !== 'request') answered ??= element.name;
    }
  }
  if (errors.length > 0 || (answered === verb && answer.status === 200)) return errors;
  const words = answered === null ? 'neither records nor an error' : `${answered} instead of ${verb}`;
  throw new HttpFault('bad_answer', `${provider.shownAs} answers ${words}`);
}

/** A repository may quote the request, and the parameters of SOURCE_URL may hold a key. */
function withoutParameters(words: string, { searchParams }: URL): string {
  let shown = words;
  for (const value of searchParams.values()) {
    if (value.length < LEAST_KEY_LENGTH) continue;
    for (const written of [encodeURIComponent(value), value])
      shown = shown.replaceAll(written, () => FILTERED);
  }
  return shown;
}

/** The clock of the repository itself, which makes the datestamps; `Date` may be that of a proxy. */
function hearDate(clock: ClockReader, text: string): void {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text))
    clock.hear((name) => (name === 'date' ? text : null));
}
