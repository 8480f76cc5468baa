/** Reads the settings of source `oai-pmh`. */
import type { Settings } from '../../settings-file.ts';
import { readFlag } from '../../setting-values.ts';

export type OaiSettings = {
  readonly kind: 'oai-pmh';
  readonly url: string;
  /** The format of the records, as the source names it. */
  readonly prefix: string;
  /** null: all records. */
  readonly set: string | null;
  /** A last page without a resumptionToken ends a list of several pages, which the protocol does not provide for. */
  readonly unmarkedEnds: boolean;
};

/** The characters that OAI-PMH 2.0 allows in prefixes and in each part of a set. */
const WORD = String.raw`[A-Za-z0-9_.!~*'()-]+`;
const PREFIX = new RegExp(`^${WORD}$`);
const SET = new RegExp(`^${WORD}(:${WORD})*$`);

/** @throws JobError `notConfigured` */
export function readOaiSettings(settings: Settings): OaiSettings {
  const { optional, url, fault } = settings;
  const address = url('SOURCE_URL', ['http:', 'https:']);
  if (new URL(address).searchParams.has('verb'))
    throw fault('SOURCE_URL holds a request (verb=…): expected the base URL of the repository');
  const prefix = optional('OAI_PREFIX') ?? 'oai_dc';
  if (!PREFIX.test(prefix))
    throw fault('OAI_PREFIX is not a metadata prefix: expected a form such as oai_dc or marcxml');
  const set = optional('OAI_SET') ?? null;
  if (set !== null && !SET.test(set))
    throw fault('OAI_SET is not the setSpec of one set: expected a form such as maps or maps:town');
  const unmarkedEnds = readFlag(settings, 'OAI_UNMARKED_END');
  return { kind: 'oai-pmh', url: address, prefix, set, unmarkedEnds };
}
