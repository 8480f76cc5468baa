/** Reads the settings of source `oai-pmh`. */
import type { Settings } from '../../settings-file.ts';

export type OaiSettings = {
  readonly kind: 'oai-pmh';
  readonly url: string;
  /** The format of the records, as the source names it. */
  readonly prefix: string;
  /** null: all records. */
  readonly set: string | null;
};

/** The characters that OAI-PMH 2.0 allows in prefixes and in each part of a set. */
const WORD = String.raw`[A-Za-z0-9_.!~*'()-]+`;
const PREFIX = new RegExp(`^${WORD}$`);
const SET = new RegExp(`^${WORD}(:${WORD})*$`);

/** @throws JobError `notConfigured` */
export function readOaiSettings({ optional, url, fault }: Settings): OaiSettings {
  const address = url('SOURCE_URL', ['http:', 'https:']);
  if (new URL(address).searchParams.has('verb'))
    throw fault('SOURCE_URL holds a request (verb=…): expected the base URL of the repository');
  const prefix = optional('OAI_PREFIX') ?? 'oai_dc';
  if (!PREFIX.test(prefix))
    throw fault('OAI_PREFIX is not a metadata prefix: expected a form such as oai_dc or marcxml');
  const set = optional('OAI_SET') ?? null;
  if (set !== null && !SET.test(set))
    throw fault('OAI_SET is not the setSpec of one set: expected a form such as maps or maps:town');
  return { kind: 'oai-pmh', url: address, prefix, set };
}
