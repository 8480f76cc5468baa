/** Asks the repository who it is, and checks what the program depends on. */
import { HttpFault } from '../../http/http-fault.ts';
import { type Granularity, granularityOf, timeOf } from './granularity.ts';
import { oaiFailure } from './oai-error.ts';
import type { SourceServer } from '../source-server.ts';
import { ask } from './oai-request.ts';

/** `no`: only absence from the list tells a deletion. `transient`, `persistent`: headers may say `deleted`. */
const DELETED = ['no', 'transient', 'persistent'] as const;

export type Identity = {
  readonly granularity: Granularity;
  /** No record has an earlier datestamp. */
  readonly earliest: Date;
  readonly deletedRecord: (typeof DELETED)[number];
};

/** @throws HttpFault for a repository that this program cannot harvest */
export async function identify(provider: SourceServer): Promise<Identity> {
  const told = new Map<string, string>();
  const errors = await ask(provider, 'Identify', {}, ({ name, text }) => void told.set(name, text.trim()));
  if (errors.length > 0) throw oaiFailure(errors, provider.shownAs);
  const text = (name: string): string => told.get(name) ?? '';
  const refuse = (name: string, expected: string): HttpFault => {
    const value = told.has(name) ? `${name} ${JSON.stringify(text(name).slice(0, 100))}` : `no ${name}`;
    return new HttpFault(
      'bad_answer',
      `${provider.shownAs} tells ${value} in Identify; expected ${expected}`,
    );
  };
  if (text('protocolVersion') !== '2.0') throw refuse('protocolVersion', '2.0');
  const granularity = granularityOf(text('granularity'));
  if (granularity === null) throw refuse('granularity', 'YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ');
  const deletedRecord = DELETED.find((mode) => mode === text('deletedRecord'));
  if (deletedRecord === undefined) throw refuse('deletedRecord', 'no, transient or persistent');
  const earliest = new Date(timeOf(text('earliestDatestamp')));
  if (Number.isNaN(earliest.getTime())) throw refuse('earliestDatestamp', 'a date or a time in UTC');
  return { granularity, earliest, deletedRecord };
}
