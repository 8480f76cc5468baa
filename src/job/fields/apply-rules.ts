/** Applies the rules of FIELDS to records, one rule after another. Pure. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SourceRecord } from '../sources/source.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Rule } from './parse-rules.ts';

export type Fields = {
  readonly rules: readonly Rule[];
  /** Secret of the hashes; null: no rule makes one. */
  readonly hashKey: string | null;
};

/** A record that a rule cannot change. */
export class UnfitForRule {
  readonly place: string;
  readonly why: string;

  constructor(place: string, why: string) {
    this.place = place;
    this.why = why;
  }
}

export type Mapping = {
  readonly map: (record: SourceRecord) => SourceRecord | UnfitForRule;
  /** Rules that have found their field in no record so far. */
  readonly idle: () => readonly Rule[];
};

export function createMapping({ rules, hashKey }: Fields): Mapping {
  const key = createSecretKey(Buffer.from(hashKey ?? ''));
  const found = new Set<Rule>();
  return {
    map({ id, updated_at, record }) {
      // A Map, because names such as __proto__ mean something else on objects.
      const fields = new Map(Object.entries(record));
      for (const rule of rules) {
        if (rule.does !== 'set' && !fields.has(rule.field)) continue;
        found.add(rule);
        const unfit = applyRule(rule, fields, key);
        if (unfit !== null) return unfit;
      }
      return { id, updated_at, record: Object.fromEntries(fields) };
    },
    idle: () => rules.filter((rule) => rule.does !== 'set' && !found.has(rule)),
  };
}

/** Changes `fields`, which have the field of every rule but `set`. */
function applyRule(rule: Rule, fields: Map<string, unknown>, key: KeyObject): UnfitForRule | null {
  const { field } = rule;
  const value = fields.get(field);
  switch (rule.does) {
    case 'drop':
      fields.delete(field);
      return null;
    case 'set':
      fields.set(field, rule.value);
      return null;
    case 'hash':
      if (value !== null) fields.set(field, hashOf(value, key));
      return null;
    case 'rename':
      // Replacing the other field would lose its value without a word.
      if (fields.has(rule.to)) {
        const name = rule.to.slice(0, 100);
        return new UnfitForRule(
          rule.place,
          `it has a field ${name} already; drop that one before, or rename it`,
        );
      }
      fields.delete(field);
      fields.set(rule.to, value);
      return null;
  }
}

function hashOf(value: unknown, key: KeyObject): string {
  return createHmac('sha256', key).update(canonicalJson(value)).digest('hex');
}
