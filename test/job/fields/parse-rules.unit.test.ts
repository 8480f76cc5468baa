import { describe, expect, it } from 'vitest';
import { parseRules } from '../../../src/job/fields/parse-rules.ts';

const rulesOf = (list: string) => parseRules(list).map(({ place: _place, ...rule }) => rule);
const set = (field: string, value: unknown) => ({ does: 'set', field, value });
const drop = (field: string) => ({ does: 'drop', field });

describe('the rules of FIELDS', () => {
  it('stand between commas or on lines, in their order', () => {
    const rules = [
      { does: 'rename', field: 'title', to: 'name' },
      drop('note'),
      set('origin', 'crm'),
      { does: 'hash', field: 'email' },
    ];
    expect(rulesOf('rename title=name, drop note, set origin=crm, hash email')).toEqual(rules);
    expect(rulesOf('\n rename  title = name\r\ndrop note,\n\nset origin = crm\nhash\temail\n')).toEqual(
      rules,
    );
  });

  it.each<[string, unknown]>([
    ['42', 42],
    ['true', true],
    ['null', null],
    ['"42"', '42'],
    ['"a, b"', 'a, b'],
    ['["a, b",2]', ['a, b', 2]],
    ['{"x":{"y":[1,2]}}', { x: { y: [1, 2] } }],
    ['open to all', 'open to all'],
    ['a=b', 'a=b'],
    ['01', '01'],
    ["it's", "it's"],
    ['', ''],
  ])('set a value that is JSON if it parses, else text: %s', (text, value) => {
    expect(rulesOf(`set a=${text}, drop b`)).toEqual([set('a', value), drop('b')]);
  });

  it('keep all digits of a number', () => {
    const [rule] = parseRules('set a=12345678901234567890.10');
    expect(JSON.stringify(rule)).toContain('"value":12345678901234567890.10');
  });

  it('take names with other signs in quotes', () => {
    expect(
      rulesOf('drop "dc.title", drop "first name", rename "a=b"="c,d", set "x.y"=1, drop __proto__'),
    ).toEqual([
      drop('dc.title'),
      drop('first name'),
      { does: 'rename', field: 'a=b', to: 'c,d' },
      set('x.y', 1),
      drop('__proto__'),
    ]);
    expect(parseRules('set __proto__=7')[0]).toMatchObject(set('__proto__', 7));
  });

  it('are quoted on one line and shortened in errors', () => {
    const long = `set a=${'x'.repeat(100)}, dorp\nb`;
    expect(() => parseRules(long)).toThrow('FIELDS rule 2 (dorp) is none of');
    expect(() => parseRules(`dorp ${'x'.repeat(100)}`)).toThrow(
      `FIELDS rule 1 (dorp ${'x'.repeat(55)}…) is none of`,
    );
  });
});

describe('a rule of FIELDS is refused', () => {
  it.each([
    ['drop id', 'FIELDS rule 1 (drop id) changes id, by which records are found again; remove the rule'],
    ['drop a, hash updated_at', 'FIELDS rule 2 (hash updated_at) changes updated_at'],
    ['rename id=key', 'changes id'],
    ['rename key=id', 'changes id'],
    ['set updated_at=2026-01-01T00:00:00Z', 'changes updated_at'],
    ['set "id"=7', 'changes id'],
  ])('if it changes id or updated_at: %s', (list, words) => {
    expect(() => parseRules(list)).toThrow(words);
  });

  it.each([
    [',\n,', 'FIELDS holds no rule'],
    ['dorp email', 'FIELDS rule 1 (dorp email) is none of rename a=b, drop a, set a=value, hash a'],
    ['set note=x, dorp email', 'FIELDS rule 2 (dorp email) is none of'],
    ['drop', 'FIELDS rule 1 (drop) names no field; write it as drop a'],
    ['rename a', 'has no =; write it as rename a=b'],
    ['rename a=', 'names no field; write it as rename a=b'],
    ['set =7', 'names no field; write it as set a=value'],
    ['rename a=a', 'names the same field twice'],
    ['drop a drop b', 'write it as "a drop b"'],
    ['rename a=b=c', 'write it as "b=c"'],
    [
      'drop address.street',
      'name the whole field address, or write "address.street" if that is the name of a field',
    ],
    ['drop "a', 'opens a quote or bracket and does not close it'],
    ['set a=[1, drop b', 'FIELDS rule 1 (set a=[1, drop b) opens a quote or bracket'],
    ['set a=[draft]', 'has a value that is not JSON'],
    ['set a="x" y', 'has a value that is not JSON'],
    ['set a=5" pipe, drop email, set b=6"', 'has quotes or brackets within a text'],
    ['set a=see [1\ndrop b]', 'has quotes or brackets within a text'],
    ['drop "a"b', 'has a name that is not JSON text'],
    ['set "a\\\\b"=1', 'makes a record that is refused: the name of a field contains a backslash'],
    ['set a="\\u0000"', 'makes a record that is refused: one of its texts contains the character U+0000'],
    [
      'rename a="\\ud800"',
      'makes a record that is refused: the name of a field contains half of a surrogate pair',
    ],
    [`set a=${'['.repeat(101)}${']'.repeat(101)}`, 'nested 102 levels deep'],
  ])('if no record could follow it: %s', (list, words) => {
    expect(() => parseRules(list)).toThrow(words);
  });
});
