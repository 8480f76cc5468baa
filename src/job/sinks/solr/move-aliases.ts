/**
 * Moves the aliases primary and standby. Solr moves one alias at a time, so the state stores the goal first, and the
 * next run finishes a move that a crash interrupted. Readers use only the primary, which moves atomically.
 */
import { JobError } from '../../job-error.ts';
import { createAlias, deleteAlias, listAliases } from './collections.ts';
import type { Solr } from './aliases.ts';
import { fenced } from '../generations/fence.ts';
import type { Move, State } from './state.ts';

/** @param change other changes of the state, stored together with the move */
export async function startMove(
  solr: Solr,
  move: Move,
  change: (state: State) => Partial<State>,
): Promise<void> {
  await solr.store.change((state) => ({ ...state, ...change(state), move }), { durable: true });
  await moveAliases(solr, move);
}

/** Finishes a move that an earlier run began. @returns it; null if there was none */
export async function finishMove(solr: Solr): Promise<Move | null> {
  const { move } = await solr.store.read();
  if (!move) return null;
  const listed = await listAliases(solr.client);
  const expected = [move.primary, move.standby];
  const ours = [listed[solr.names.primary], listed[solr.names.standby]];
  if (ours.every((collection) => collection !== undefined && expected.includes(collection))) {
    await moveAliases(solr, move);
    return move;
  }
  // The aliases were moved elsewhere by hand since; leave them there.
  await endMove(solr, move);
  return null;
}

async function moveAliases(solr: Solr, move: Move): Promise<void> {
  const { client, names } = solr;
  // First, so that an old run that still loads through this alias cannot write to the live collection.
  await deleteAlias(client, names.loading);
  await stillOurs(solr, move);
  await createAlias(client, names.primary, move.primary);
  await stillOurs(solr, move);
  await createAlias(client, names.standby, move.standby);
  const listed = await listAliases(client);
  if (listed[names.primary] !== move.primary || listed[names.standby] !== move.standby) {
    throw new JobError(
      'failed',
      `sink: ${names.primary} points to ${listed[names.primary]} and ${names.standby} to ${listed[names.standby]}, ` +
        `instead of ${move.primary} and ${move.standby}; stop other programs that move these aliases`,
    );
  }
  await endMove(solr, move);
}

async function endMove({ store }: Solr, move: Move): Promise<void> {
  await store.change((state) => (isSame(state.move, move) ? { ...state, move: null } : state), {
    durable: true,
  });
}

async function stillOurs({ store, names }: Solr, move: Move): Promise<void> {
  const state = await store.read();
  if (!isSame(state.move, move)) throw fenced(names.primary, 'another run has moved its aliases');
}

function isSame(one: Move | null, other: Move): boolean {
  return one?.kind === other.kind && one.primary === other.primary && one.standby === other.standby;
}
