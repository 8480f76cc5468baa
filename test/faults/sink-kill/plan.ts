/** One kill and what follows it, chosen by chance: where it cuts, what comes after, and who lives beside it. */
import { type Action, ACTIONS } from '../../job/support/attempt.ts';
import type { Cut } from '../../job/support/statement-proxy.ts';
import type { Random } from '../random.ts';

/**
 * `program`: a separate process, killed; `process`: ours, with all its connections cut at once; `connection`: one
 * of them cut.
 */
export type How = 'program' | 'in process' | 'connection';

export type Plan = {
  readonly action: Action;
  readonly how: How;
  readonly at: number;
  readonly when: Cut['when'];
  readonly follows: 'again' | 'resume' | 'another';
  readonly second: {
    readonly who: 'same attempt' | 'earlier attempt' | 'older job';
    readonly stands: 'opened' | 'loaded';
    /** Before the job begins, or between its kill and what follows. */
    readonly begins: 'first' | 'between';
    /** The statement of the killed run, or of what follows, at which it continues. */
    readonly goesOn: { readonly during: 'killed' | 'following'; readonly at: number };
  } | null;
};

/** @param what it counts */
export function inWords(
  { action, how, at, when, follows, second }: Plan,
  what: 'statement' | 'request' = 'statement',
): string {
  const beside = second
    ? `, beside the ${second.who} (${second.stands}, begun ${second.begins}, on at ${second.goesOn.during} ${second.goesOn.at})`
    : '';
  return `${action} cut ${when} ${what} ${at} (${how}), then ${follows}${beside}`;
}

/** Number of statements or requests of an undisturbed run: the kills are spread over all of them. */
export type Counts = Record<Action, { program: number; process: number }>;

const HOWS: readonly How[] = ['program', 'in process', 'in process', 'in process', 'connection'];

/** More than needed: some end before the statement at which they were to be cut. */
export function makePlans(wanted: number, counts: Counts, random: Random): Plan[] {
  return Array.from({ length: Math.ceil(wanted * 1.3) }, (_, nth) => {
    const action = random.pick(ACTIONS);
    const how = HOWS[nth % HOWS.length] ?? 'in process';
    const most = counts[action][how === 'program' ? 'program' : 'process'];
    const during = random.pick(['killed', 'following'] as const);
    const begins = how === 'connection' ? 'first' : random.pick(['first', 'first', 'between'] as const);
    const second = {
      who:
        action === 'rollback'
          ? ('older job' as const)
          : random.pick(['same attempt', 'earlier attempt', 'older job'] as const),
      stands: random.pick(['opened', 'loaded'] as const),
      begins,
      goesOn: { during: begins === 'between' ? ('following' as const) : during, at: random.integer(1, most) },
    };
    return {
      action,
      how,
      at: random.integer(1, most),
      when: random.pick(['before', 'after'] as const),
      follows: random.pick(['again', 'resume', 'another'] as const),
      second: Math.floor(nth / HOWS.length) % 2 === 0 ? second : null,
    };
  });
}
