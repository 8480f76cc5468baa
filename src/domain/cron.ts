/**
 * A cron expression of five fields by the rules of Temporal, which fires it: its grammar, and the times that match.
 * Day of the month *and* day of the week must match; in crontab(5) one of them suffices. Pure.
 */

export type Cron = {
  readonly minute: ReadonlySet<number>;
  readonly hour: ReadonlySet<number>;
  readonly dayOfMonth: ReadonlySet<number>;
  /** Counted from 1. */
  readonly month: ReadonlySet<number>;
  /** 0 is Sunday; 7 has become 0. */
  readonly dayOfWeek: ReadonlySet<number>;
};

type Field = {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** In order, starting with the value `least`; each may be shortened to its first `shortest` letters. */
  readonly words?: { readonly names: readonly string[]; readonly shortest: number };
};

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const FIELDS = {
  minute: { name: 'minute', least: 0, most: 59 },
  hour: { name: 'hour', least: 0, most: 23 },
  dayOfMonth: { name: 'day of the month', least: 1, most: 31 },
  month: { name: 'month', least: 1, most: 12, words: { names: MONTHS, shortest: 3 } },
  dayOfWeek: { name: 'day of the week', least: 0, most: 7, words: { names: DAYS, shortest: 2 } },
} as const satisfies Record<keyof Cron, Field>;

/** @returns the times that match, or in words what is wrong with the expression */
export function parseCron(text: string): Cron | { readonly error: string } {
  const parts = fieldsOf(text);
  if (parts.length !== 5)
    return { error: `'${text}' is neither five cron fields with a next firing nor 'every 60s'` };
  const found: Record<string, ReadonlySet<number>> = {};
  for (const [index, [key, field]] of Object.entries(FIELDS).entries()) {
    const part = parts[index] ?? '';
    const values = valuesOf(part, field);
    if ('fault' in values)
      return { error: `'${text}': the ${field.name} '${part}' ${values.fault}; ${mayBe(field)}` };
    found[key] = values;
  }
  return found as Cron;
}

/** The expression as the scheduler gets it. */
export function fieldsOf(text: string): string[] {
  return text.split(/[ \t]+/).filter((part) => part !== '');
}

/** True if a day must match both its day of the month and its day of the week. */
export function needsBothDays(text: string): boolean {
  const cron = parseCron(text);
  return !('error' in cron) && cron.dayOfMonth.size < 31 && cron.dayOfWeek.size < 7;
}

function mayBe({ least, most, words }: Field): string {
  const names = words ? `, names such as ${words.names[1]?.slice(0, words.shortest).toUpperCase()}` : '';
  return `it may be numbers from ${least} to ${most}${names}, ranges (1-5), steps (*/2), lists of these (1,3), or *`;
}

function valuesOf(text: string, field: Field): ReadonlySet<number> | { readonly fault: string } {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0) return { fault: 'has two steps' };
    if (step !== undefined && !/^0*[1-9]\d{0,3}$/.test(step)) return { fault: `has the step '${step}'` };
    const ends = endsOf(range, step !== undefined, field);
    if (!ends) return { fault: 'cannot be read' };
    const [first, last] = ends;
    if (last < first) return { fault: 'ends before it begins' };
    // Sunday is both 0 and 7.
    for (let value = first; value <= last; value += Number(step ?? 1))
      values.add(value === 7 && field.most === 7 ? 0 : value);
  }
  return values;
}

/** A single value with a step runs to the end of its field. Undefined if it cannot be read. */
function endsOf(range: string, hasStep: boolean, field: Field): readonly [number, number] | undefined {
  if (range === '*') return [field.least, field.most];
  const [from = '', to, ...more] = range.split('-');
  const first = valueOf(from, field);
  const last = to === undefined ? (hasStep ? field.most : first) : valueOf(to, field);
  return first === undefined || last === undefined || more.length > 0 ? undefined : [first, last];
}

function valueOf(text: string, { least, most, words }: Field): number | undefined {
  const at =
    words && text.length >= words.shortest
      ? words.names.findIndex((name) => name.startsWith(text.toLowerCase()))
      : -1;
  if (at >= 0) return least + at;
  const number = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  return number >= least && number <= most ? number : undefined;
}
