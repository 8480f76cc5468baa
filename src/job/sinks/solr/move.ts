/**
 * Moves primary and standby. Solr moves one alias at a time, so where they shall be is written down first: whoever
 * comes after a crash, in whatever place between, finishes it. Readers go by the primary alone, which moves in one step.
 */

import { JobError } from '../../job-error.ts';
import { createAlias, deleteAlias, listAliases } from './collections.ts';
import type { Solr } from './places.ts';
import { fenced, type Move, type State } from './state.ts';

/** @param change what else the state says from the moment on that the move cannot be undone */
export async function startMove(
  solr: Solr,
  move: Move,
  change: (state: State) => Partial<State>,
): Promise<void> {
  await solr.store.change((state) => ({ ...state, ...change(state), move }), { durable: true });
  await moveAliases(solr, move);
}

/** Ends what a program before us began. @returns its kind; null where nothing was half done */
export async function finishMove(solr: Solr): Promise<Move['kind'] | null> {
  const { move } = await solr.store.read();
  if (!move) return null;
  const listed = await listAliases(solr.client);
  const expected = [move.primary, move.standby];
  const ours = [listed[solr.names.primary], listed[solr.names.standby]];
  if (ours.every((collection) => collection !== undefined && expected.includes(collection))) {
    await moveAliases(solr, move);
    return move.kind;
  }
  // Somebody has moved the aliases elsewhere by hand since: what they did counts.
  await endMove(solr, move);
  return null;
}

async function moveAliases(solr: Solr, move: Move): Promise<void> {
  const { client, names } = solr;
  // First of all: a straggler that still loads through it must not write to what readers see.
  await deleteAlias(client, names.loading);
  await stillOurs(solr, move);
  await createAlias(client, names.primary, move.primary);
  await stillOurs(solr, move);
  await createAlias(client, names.standby, move.standby);
  const listed = await listAliases(client);
  if (listed[names.primary] !== move.primary || listed[names.standby] !== move.standby) {
    throw new JobError(
      'failed',
      `sink: ${names.primary} shows ${listed[names.primary]} and ${names.standby} ${listed[names.standby]}, ` +
        `not ${move.primary} and ${move.standby} as they were told; somebody else moves them too`,
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
  if (!isSame(state.move, move)) throw fenced(`somebody else has moved the aliases of ${names.primary}`);
}

function isSame(one: Move | null, other: Move): boolean {
  return one?.kind === other.kind && one.primary === other.primary && one.standby === other.standby;
}
