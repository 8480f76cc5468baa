/**
 * Moves the alias from one index to another, in one call that changes nothing unless the alias is where we left it. The
 * state stores the goal first, so that the next run finishes a move whose answer or whose program was lost.
 */
import { JobError } from '../../job-error.ts';
import { withoutRun } from '../generations/earlier-runs.ts';
import { fenced } from '../generations/fence.ts';
import { holderOf, type OpenSearch } from './alias.ts';
import { changeAliases, describeIndex, removal } from './indexes.ts';
import type { Move, State } from './state.ts';
import { withoutWriters, writeAlias } from './write-alias.ts';

const TRIES = 5;

/** @param change other changes of the state, stored together with the move */
export async function startMove(
  sink: OpenSearch,
  move: Move,
  change: (state: State) => Partial<State>,
): Promise<void> {
  await sink.store.change((state) => ({ ...state, ...change(state), move }));
  await moveAlias(sink, move);
}

/** Finishes a move that an earlier run began. @returns it; null if there was none */
export async function finishMove(sink: OpenSearch): Promise<Move | null> {
  const { move, generations } = await sink.store.read();
  if (!move) return null;
  const holder = (await holderOf(sink.client, sink.alias))?.name ?? null;
  const goal = await describeIndex(sink.client, move.to);
  if (holder === move.from && goal?.uuid !== generations[move.to]?.uuid) {
    await abandonMove(sink, move);
    return null;
  }
  if (holder === move.from || holder === move.to) {
    await moveAlias(sink, move);
    return move;
  }
  // The alias was moved elsewhere by hand since; leave it there.
  await endMove(sink, move);
  return null;
}

async function moveAlias(sink: OpenSearch, move: Move): Promise<void> {
  const { client, alias, store } = sink;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const state = await store.read();
    if (!isSame(state.move, move)) throw fenced(alias, 'another run has moved it');
    const holder = (await holderOf(client, alias))?.name ?? null;
    if (holder === move.to) return await endMove(sink, move);
    if (holder !== move.from) break;
    await swap(sink, move, state.epoch);
  }
  throw new JobError(
    'failed',
    `sink: the alias ${alias} cannot move from ${move.from ?? 'no index'} to ${move.to}; stop other programs that move it or ` +
      'remove indexes',
  );
}

/** One call: the index that is left takes no more writes, and the other one takes those of this run alone. */
async function swap({ client, alias }: OpenSearch, { from, to }: Move, epoch: number): Promise<boolean> {
  const left = from === null ? null : await describeIndex(client, from);
  return await changeAliases(client, [
    ...(left ? [removal(left.name, alias), ...withoutWriters(left)] : []),
    { add: { index: to, alias } },
    { add: { index: to, alias: writeAlias(to, epoch) } },
  ]);
}

async function endMove({ store }: OpenSearch, move: Move): Promise<void> {
  await store.change((state) => (isSame(state.move, move) ? { ...state, move: null } : state));
}

/** The index to move to was removed, or made anew by somebody else: what readers see stays, and the step was not done. */
async function abandonMove({ store, log }: OpenSearch, move: Move): Promise<void> {
  log(
    `the index ${move.to} was removed before the alias moved to it: the interrupted ${move.kind} is undone`,
  );
  await store.change((state) => {
    if (!isSame(state.move, move)) return state;
    const left = move.from === null ? undefined : state.generations[move.from];
    const generations: State['generations'] =
      move.from !== null && left ? { [move.from]: { ...left, left_by: null } } : {};
    return {
      ...state,
      move: null,
      generations,
      steps: state.steps.slice(0, -1),
      earlier_runs: withoutRun(state.earlier_runs, state.steps.at(-1)),
    };
  });
}

function isSame(one: Move | null, other: Move): boolean {
  return one?.kind === other.kind && one.from === other.from && one.to === other.to;
}
