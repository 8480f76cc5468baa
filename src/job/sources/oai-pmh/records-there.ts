/** Asks for single records that a list lacks. */
import { HttpFault } from '../../http/http-fault.ts';
import { type Patience, retryThroughOutage } from '../../http/outage.ts';
import { isWithin } from './harvest.ts';
import { areAll, oaiFailure } from './oai-error.ts';
import type { SourceServer } from '../source-server.ts';
import { ask } from './oai-request.ts';
import type { OaiSettings } from './oai-settings.ts';
import { headerOf, type OaiHeader } from './record-line.ts';
import { childOf } from './xml-element.ts';

/** Few concurrent requests, since repositories are small machines. */
const CONCURRENCY = 4;

export type Asked = {
  readonly provider: SourceServer;
  readonly patience: Patience;
  readonly settings: OaiSettings;
  /** The headers of the list named OAI_SET, so a header without it means that the record has left the set. */
  readonly tellsSet: boolean;
};

export async function recordsThere(ids: readonly string[], of: Asked): Promise<ReadonlySet<string>> {
  const there = new Set<string>();
  const left = ids.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const id of left) if (await isThere(id, of)) there.add(id);
    }),
  );
  return there;
}

async function isThere(id: string, of: Asked): Promise<boolean> {
  const { provider, patience, settings, tellsSet } = of;
  let header: OaiHeader | null = null;
  const query = { identifier: id, metadataPrefix: settings.prefix };
  const errors = await retryThroughOutage(patience, async () => {
    header = null;
    return await ask(provider, 'GetRecord', query, (record) => {
      const found = childOf(record, 'header');
      if (found?.fault === null) header = headerOf(found);
    });
  });
  // A list of a format leaves out records that do not have it.
  if (areAll(errors, 'idDoesNotExist') || areAll(errors, 'cannotDisseminateFormat')) return false;
  if (errors.length > 0) throw oaiFailure(errors, provider.shownAs);
  const found = header as OaiHeader | null;
  if (found === null) {
    const words = `${provider.shownAs} answers GetRecord without a record`;
    throw new HttpFault('bad_answer', words).toJobError();
  }
  if (found.isDeleted) return false;
  return settings.set === null || !tellsSet || isWithin(settings.set, found.sets);
}
