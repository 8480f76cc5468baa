/** What a run may lead to, and which of these outcomes agree with what is seen. Pure. */
import type { AttemptEnd } from '../../support/attempt.ts';
import { difference, type Rows } from '../../support/live-rows.ts';
import { copied, type World } from './world.ts';

export type Outcome = {
  /** null: however it ends. */
  readonly exits: readonly AttemptEnd['code'][] | null;
  readonly world: World;
  /** Records that may be live in one of these forms; undefined: or not be live. */
  readonly mixed?: ReadonlyMap<string, readonly (string | undefined)[]>;
  /** Those of them that wait if they are live. */
  readonly waitIfLive?: ReadonlySet<string>;
};

/** The outcome of a run that nothing disturbs. */
export type Effect = Outcome & {
  /** `switch`: readers see all of it or nothing. `in place`: one record after the other. */
  readonly how: 'switch' | 'in place' | 'nothing';
  /** The world once the run has begun, and done no more. */
  readonly begun: World;
  readonly removes: readonly string[];
};

export type Seen = {
  readonly code: AttemptEnd['code'];
  readonly rows: Rows;
  /** In byte order. */
  readonly held: readonly string[];
};

/** @returns the world that is seen, or why it is not that of the outcome */
export function settle({ exits, world, mixed, waitIfLive }: Outcome, seen: Seen): World | string {
  if (exits && !exits.includes(seen.code)) return `it ends ${exits.join(' or ')}, and not ${seen.code}`;
  const { rows } = seen;
  const owed = new Map(world.live);
  for (const [id, forms] of mixed ?? []) {
    const text = rows.get(id);
    if (!forms.includes(text)) continue;
    if (text === undefined) owed.delete(id);
    else owed.set(id, text);
  }
  const differs = difference(rows, owed);
  if (differs !== SAME) return `readers see what ${differs}`;
  const back = [...(waitIfLive ?? [])].filter((id) => owed.has(id));
  const named = new Set([...world.named, ...back]);
  const held = [...named].filter((id) => owed.has(id)).toSorted();
  if (held.join(' ') !== seen.held.join(' '))
    return `[${held.join(' ')}] wait, and not [${seen.held.join(' ')}]`;
  const copies = world.copies.map((copy) =>
    copy.sure === 'if gone' ? { ...copy, sure: !owed.has(copy.id) } : copy,
  );
  return { ...world, live: owed, named, copies };
}

const SAME = difference(new Map(), new Map());

/** What a run may have done before it was killed. */
export function killed(before: World, effect: Effect, job: number): Outcome[] {
  const { world: after, begun, removes, how, mixed, waitIfLive } = effect;
  const any = (world: World, more: Partial<Outcome> = {}): Outcome => ({ exits: null, world, ...more });
  const least = before === begun ? [any(before)] : [any(before), any(begun)];
  if (how === 'nothing') return [...least, any(after)];
  if (how === 'in place') {
    const copies = copied(before, removes, { job, sure: 'if gone' });
    const part = { ...before, copies };
    const forms = new Map(mixed);
    for (const id of new Set([...before.live.keys(), ...after.live.keys()]))
      if (!forms.has(id)) forms.set(id, [before.live.get(id), after.live.get(id)]);
    for (const [id, some] of forms) forms.set(id, [...new Set([...some, before.live.get(id)])]);
    const waiting = { ...part, named: new Set([...before.named, ...(waitIfLive ?? [])]) };
    return [
      ...least,
      any(part, { mixed: forms }),
      any(waiting, { mixed: forms }),
      { ...effect, exits: null },
    ];
  }
  const copies = copied(before, removes, { job, sure: false });
  const undoes = after.done.at(-1)?.action === 'rollback' ? (before.kept?.by.job ?? null) : null;
  return [
    ...least,
    any({ ...before, copies }),
    any({ ...begun, copies }),
    any({ ...before, copies, pending: { world: after, undoes } }),
    any(after),
  ];
}
