/** Parses the rules of FIELDS and refuses those that no record could follow. Pure. */
import { checkRecord, RecordFault } from '../sources/record-check.ts';
import { RuleFault, splitRules, type WrittenRule } from './split-rules.ts';

/** A change of the fields of every record. `place` names the rule in logs and errors. */
export type Rule = { readonly place: string; readonly field: string } & (
  | { readonly does: 'rename'; readonly to: string }
  | { readonly does: 'drop' }
  | { readonly does: 'set'; readonly value: unknown }
  | { readonly does: 'hash' }
);

/** Sync and comparison find a record by these. */
const KEPT = ['id', 'updated_at'];

const FORMS = {
  rename: 'rename a=b',
  drop: 'drop a',
  set: 'set a=value',
  hash: 'hash a',
};

/** @returns the rules in their order, at least one @throws RuleFault */
export function parseRules(list: string): Rule[] {
  const rules = splitRules(list).map(parseRule);
  if (rules.length === 0)
    throw new RuleFault('FIELDS holds no rule; remove it, or write a rule such as drop a');
  return rules;
}

function parseRule(rule: WrittenRule): Rule {
  const { text, place } = rule;
  const [, verb = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  switch (verb) {
    case 'drop':
    case 'hash':
      return { place, does: verb, field: nameIn(rest, rule, FORMS[verb]) };
    case 'rename': {
      const [from, to] = parted(rest, rule, FORMS[verb]);
      const [field, name] = [nameIn(from, rule, FORMS[verb]), nameIn(to, rule, FORMS[verb])];
      if (field === name) throw fault(rule, 'names the same field twice; give the new name after the =');
      checkField(name, 'null', rule);
      return { place, does: verb, field, to: name };
    }
    case 'set': {
      const [name, value] = parted(rest, rule, FORMS[verb]);
      const field = nameIn(name, rule, FORMS[verb]);
      return { place, does: verb, field, value: checkField(field, jsonOf(value, rule), rule) };
    }
    default:
      throw fault(
        rule,
        `is none of ${Object.values(FORMS).join(', ')}; correct it, and put a value with a comma in quotes: set a="x, y"`,
      );
  }
}

/** Splits at the first `=` outside of quotes. */
function parted(text: string, rule: WrittenRule, form: string): [string, string] {
  const [, before, after] = /^("(?:[^"\\]|\\.)*"\s*|[^"=]*)=(.*)$/s.exec(text) ?? [];
  if (before === undefined || after === undefined) throw fault(rule, `has no =; write it as ${form}`);
  return [before, after];
}

/** A name alone, or in quotes if it holds other signs. */
function nameIn(text: string, rule: WrittenRule, form: string): string {
  const written = text.trim();
  if (written === '') throw fault(rule, `names no field; write it as ${form}`);
  const name = written.startsWith('"') ? parsed(written) : written;
  if (typeof name !== 'string') throw fault(rule, 'has a name that is not JSON text; correct its quotes');
  if (name === written && !/^[^\s"=.[\]{}]+$/.test(name)) throw fault(rule, inQuotes(name));
  if (KEPT.includes(name)) {
    throw fault(
      rule,
      `changes ${name}, by which records are found again; remove the rule, or change ${name} in the source`,
    );
  }
  return name;
}

/** A rule that names nothing changes nothing: personal data would stay without a word. */
function inQuotes(name: string): string {
  const quoted = JSON.stringify(name);
  if (!name.includes('.')) return `has a name with blanks, quotes, brackets or =; write it as ${quoted}`;
  const whole = name.slice(0, name.indexOf('.'));
  const nested = whole === '' ? '' : `; name the whole field ${whole}, or`;
  return `has a dot in a name, and rules reach only the fields of the record itself${nested || ';'} write ${quoted} if that is the name of a field`;
}

/** The value as JSON: as it is written if it is JSON, else as text. */
function jsonOf(text: string, rule: WrittenRule): string {
  const value = text.trim();
  if (parsed(value) !== undefined) return value;
  // Most likely a slip in JSON, which as text would go unnoticed.
  if (/^["[{]/.test(value))
    throw fault(rule, 'has a value that is not JSON; correct it, or write it as JSON text in quotes');
  // A quote in the middle, as of inches, may have swallowed the rules up to the next one.
  if (/[,\n]/.test(value))
    throw fault(
      rule,
      'has quotes or brackets within a text; write the whole value as JSON text such as "5\\" [draft"',
    );
  return JSON.stringify(value);
}

/** Checks name and value as part of a record. @returns the value, with all digits of its numbers */
function checkField(name: string, json: string, rule: WrittenRule): unknown {
  const checked = checkRecord(
    `{"id":"1","updated_at":"2026-01-01T00:00:00Z",${JSON.stringify(name)}:${json}}`,
  );
  if (checked instanceof RecordFault) throw fault(rule, `makes a record that is refused: ${checked.why}`);
  return checked.record[name];
}

/** undefined: it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function fault({ place }: WrittenRule, words: string): RuleFault {
  return new RuleFault(`${place} ${words}`);
}
