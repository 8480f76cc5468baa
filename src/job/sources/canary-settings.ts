/** Reads the setting CANARY_IDS. */
import type { Settings } from '../settings-file.ts';

const MOST_CANARIES = 100;

/** @returns ids; empty without the setting @throws JobError `notConfigured` */
export function readCanaries({ optional, fault }: Settings): readonly string[] {
  const list = optional('CANARY_IDS');
  if (list === undefined) return [];
  const ids = list.split(',').map((id) => id.trim());
  if (ids.includes('')) throw fault('CANARY_IDS has an empty id; separate ids by one comma each');
  if (new Set(ids).size < ids.length) throw fault('CANARY_IDS names an id twice');
  if (ids.length > MOST_CANARIES) throw fault(`CANARY_IDS has more than ${MOST_CANARIES} ids`);
  return ids;
}
