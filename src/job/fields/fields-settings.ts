/** Reads the setting FIELDS and the secret of its hashes. */
import { readSecret } from '../setting-values.ts';
import type { Settings } from '../settings-file.ts';
import type { Fields } from './apply-rules.ts';
import { parseRules, type Rule } from './parse-rules.ts';
import { RuleFault } from './split-rules.ts';

/** A shorter key could be guessed, and with it the values. */
const LEAST_KEY_LENGTH = 16;

/** @returns null without the setting @throws JobError `notConfigured` */
export function readFields(settings: Settings): Fields | null {
  const list = settings.optional('FIELDS');
  if (list === undefined) return null;
  const rules = rulesOf(list, settings);
  const hash = rules.find(({ does }) => does === 'hash');
  return { rules, hashKey: hash ? readHashKey(settings, hash) : null };
}

/** For sources that have no records. @throws JobError `notConfigured` if FIELDS or CANARY_IDS is set */
export function refuseRecordSettings({ optional, fault }: Settings, source: string): void {
  for (const key of ['FIELDS', 'CANARY_IDS'])
    if (optional(key) !== undefined)
      throw fault(`${key} is set, which SOURCE=${source} does not follow; remove it`);
}

function rulesOf(list: string, { fault }: Settings): Rule[] {
  try {
    return parseRules(list);
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    throw fault(error.message);
  }
}

function readHashKey(settings: Settings, { place }: Rule): string {
  const key = readSecret(settings, 'FIELDS_HASH_KEY');
  const make = 'make a key with: openssl rand -hex 32';
  if (key === undefined)
    throw settings.fault(
      `FIELDS_HASH_KEY (or FIELDS_HASH_KEY_FILE) is missing, which ${place} needs; ${make}`,
    );
  if (key.length < LEAST_KEY_LENGTH)
    throw settings.fault(
      `FIELDS_HASH_KEY has fewer than ${LEAST_KEY_LENGTH} characters, so it could be guessed; ${make}`,
    );
  return key;
}
