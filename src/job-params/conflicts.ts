/** Reads the keys of a params file that decide about conflicts of starts: QUEUE, SOURCE_NAME and PROMOTE_FROM. */
import { AGE_WORDS, parseAge } from '../domain/age.ts';
import { EXTERNAL_ACTION_PATTERN, NAME_PATTERN } from '../domain/names.ts';
import type { PromotionRule } from '../domain/promotion.ts';
import type { QueueRule } from '../domain/queue.ts';
import type { Values } from './values.ts';

export type Conflicts = {
  /** Null: a start while the target is busy is refused. */
  readonly queue: QueueRule | null;
  /** The source that SOURCE_LIMIT counts the job under; null: no limit. */
  readonly sourceName: string | null;
  readonly promotion: PromotionRule | null;
};

const PROMOTE_WITHIN = '7d';

export function readConflicts(values: Values, of: { env: string; isExternal: boolean }): Conflicts {
  return {
    queue: readQueue(values),
    sourceName: readSource(values, of.isExternal),
    promotion: readPromotion(values, of.env),
  };
}

function readQueue(values: Values): QueueRule | null {
  const queue = values.has('QUEUE') ? values.matching('QUEUE', /^(refuse|one)$/, 'refuse or one') : 'refuse';
  const listed = values.filled('QUEUE_BEHIND');
  if (queue !== 'one')
    return listed === null ? null : values.fail('QUEUE_BEHIND', 'needs QUEUE=one to apply to', null);
  if (listed === null) return { behind: null };
  const behind = listed.split(',').map((name) => name.trim());
  const wrong = behind.find((name) => !EXTERNAL_ACTION_PATTERN.test(name));
  if (wrong !== undefined)
    return values.fail('QUEUE_BEHIND', `'${wrong}' is not an action; list them as delta,delete`, null);
  return { behind };
}

function readSource(values: Values, isExternal: boolean): string | null {
  if (!values.has('SOURCE_NAME')) return null;
  const name = values.matching('SOURCE_NAME', NAME_PATTERN, 'a name of a-z, 0-9, - and _');
  // No workflow of ours starts such a job, so nothing could hold it back.
  return isExternal ? values.fail('SOURCE_NAME', 'is not for RUNNER=external', null) : name;
}

function readPromotion(values: Values, env: string): PromotionRule | null {
  if (!values.has('PROMOTE_FROM'))
    return values.has('PROMOTE_WITHIN')
      ? values.fail('PROMOTE_WITHIN', 'has no PROMOTE_FROM to apply to', null)
      : null;
  const from = values.matching('PROMOTE_FROM', NAME_PATTERN, 'an environment');
  if (from === env)
    return values.fail('PROMOTE_FROM', `'${from}' is the environment of this file itself`, null);
  const text = values.optional('PROMOTE_WITHIN') ?? PROMOTE_WITHIN;
  const withinSeconds = parseAge(text);
  if (withinSeconds === undefined) return values.fail('PROMOTE_WITHIN', `'${text}' ${AGE_WORDS}`, null);
  return { from, withinSeconds };
}
