/** Describes plans, what a job would change, the same for terminal and page. Pure. */
import { records } from './data-format.ts';
import type { PlanJson, PlanRecordJson } from './types.ts';

type PlanKind = PlanRecordJson['kind'];

/** In the order in which a plan lists them. */
const KINDS = ['added', 'updated', 'removed', 'held'] as const satisfies readonly PlanKind[];

/** As the heading of a list of such records. */
export const KIND_WORDS: Readonly<Record<PlanKind, string>> = {
  added: 'Added',
  updated: 'Changed',
  removed: 'Removed',
  held: 'Held',
};

const WILL: Readonly<Record<PlanKind, string>> = {
  added: 'added',
  updated: 'changed',
  removed: 'removed',
  held: 'held, so that they stay until somebody answers',
};

/** `sync of cities in dev` */
export function planWords({ action, target, env }: PlanJson): string {
  return `${action} of ${target} in ${env}`;
}

/** `31 added, 1,204 changed, 12 removed`; without kinds of which there are none. */
export function countWords(plan: PlanJson): string {
  const words = KINDS.filter((kind) => plan[kind] > 0).map(
    (kind) => `${plan[kind].toLocaleString('en')} ${KIND_WORDS[kind].toLowerCase()}`,
  );
  return words.join(', ') || 'nothing changes';
}

/** One sentence of each kind, for a confirmation: `12 records will be removed` */
export function effectWords(plan: PlanJson): string[] {
  return KINDS.filter((kind) => plan[kind] > 0).map((kind) => `${records(plan[kind])} will be ${WILL[kind]}`);
}

/** Why a plan cannot be applied, or undefined. */
export function whyNotApply({ state, replaced_by: later, applied_by: by }: PlanJson): string | undefined {
  switch (state) {
    case 'ready':
      return undefined;
    case 'applied':
      return `Job ${by} has applied this plan.`;
    case 'stale':
      return `Job ${later} of the same target has completed since: this plan can no longer be applied. Make a new one.`;
    case 'expired':
      return 'This plan has expired, and shows no records any more. Make a new one.';
  }
}

/** Where fewer records were uploaded than counted: `25,000 of 50,000 are shown` */
export function partWords(plan: PlanJson, kind: PlanKind): string | undefined {
  const [shown, all] = [plan.shown[kind], plan[kind]];
  if (shown >= all) return undefined;
  return `${shown.toLocaleString('en')} of ${all.toLocaleString('en')} can be shown`;
}

/** Why a content is not shown. */
export const NOT_SHOWN = 'not stored here: larger than 64 KiB, too deep, or forgotten';

export type FieldChange = { readonly field: string; readonly before: string; readonly after: string };

/** The fields of a record that change, as texts of JSON; undefined where a content is not shown. */
export function fieldChanges({ before, after, changed }: PlanRecordJson): FieldChange[] | undefined {
  if (changed === null || before === null || after === null) return undefined;
  return changed.map((field) => ({
    field,
    before: valueWords(before, field),
    after: valueWords(after, field),
  }));
}

function valueWords(content: Readonly<Record<string, unknown>>, field: string): string {
  return Object.hasOwn(content, field) ? JSON.stringify(content[field]) : '(none)';
}

/** The content on one line; of an updated record its changes. */
export function contentWords(record: PlanRecordJson): string {
  const changes = fieldChanges(record);
  if (changes) return changes.map(({ field, before, after }) => `${field}: ${before} → ${after}`).join('; ');
  const content = record.kind === 'added' ? record.after : record.before;
  return content === null || record.kind === 'updated' ? `(${NOT_SHOWN})` : JSON.stringify(content);
}
