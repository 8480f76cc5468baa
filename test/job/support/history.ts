/**
 * Plays a history on one table: the source changes, jobs run or are killed, other programs write, old sets are purged,
 * rollbacks undo any job, including undone ones. Checks the result of each step against the model.
 */

import { Client } from 'pg';
import type { RollbackLimit, Sink } from '../../../src/job/sinks/sink.ts';
import { type Action, attempt, type Attempt, type AttemptEnd, sinkOf, uidOf } from './attempt.ts';
import { changeRecords, writeAsOthers } from './history-changes.ts';
import type { Act, Chapter } from './history-chapters.ts';
import { differing, owedBy, type PlayedSet } from './history-model.ts';
import { difference, type Form, IN_RECORD, named, readRows, type Rows, rowsOf, same } from './live-rows.ts';
import { memorySource } from './memory-source.ts';
import { startStatementProxy } from './statement-proxy.ts';

/** Approximate number of statements of a run. */
const STATEMENTS = 60;

export type Played = {
  readonly violations: readonly string[];
  readonly counts: {
    jobs: number;
    rollbacks: number;
    /** Rollbacks of some records. */
    limited: number;
    exact: number;
    killed: number;
    purged: number;
    refused: number;
    /** Records that jobs held, and those that approvals removed. */
    held: number;
    approved: number;
  };
};

/** @param url a database without a table `cities`, or with an empty one that no job has opened yet */
export async function playHistory(
  url: string,
  chapters: readonly Chapter[],
  form: Form = IN_RECORD,
): Promise<Played> {
  const client = new Client({ connectionString: url, query_timeout: 30_000 });
  await client.connect();
  try {
    const player = new Player(url, client, form);
    await player.begin();
    for (const chapter of chapters) await player.play(chapter);
    return player;
  } finally {
    await client.end();
  }
}

class Player implements Played {
  readonly violations: string[] = [];
  readonly counts = {
    jobs: 0,
    rollbacks: 0,
    limited: 0,
    exact: 0,
    killed: 0,
    purged: 0,
    refused: 0,
    held: 0,
    approved: 0,
  };
  readonly #url: string;
  readonly #client: Client;
  readonly #form: Form;
  readonly #source = memorySource(Array.from({ length: 20 }, (_, nth) => named(`r${10 + nth}`, 'first')));
  readonly #sets: PlayedSet[] = [];
  /** Standing syncs. */
  #standing: number[] = [];
  /** Ids written by other programs since the last full comparison. */
  #dirty = new Set<string>();
  #job = 0;
  #made = 100;
  #where = '';

  constructor(url: string, client: Client, form: Form) {
    this.#url = url;
    this.#client = client;
    this.#form = form;
  }

  async begin(): Promise<void> {
    this.#job = 1;
    await this.#run({ action: 'sync' });
  }

  async play({ source, others, purge, act }: Chapter): Promise<void> {
    this.#source.put(changeRecords(this.#source.records, source, this.#next));
    const written = others
      ? await writeAsOthers(this.#client, others, { made: this.#next, form: this.#form })
      : [];
    for (const id of written) this.#dirty.add(id);
    if (purge === 'age') await this.#age();
    const kept = await this.#keptSets();
    await this.#act(act, purge === 'size' ? { keepChangesBytes: 1 } : {});
    await this.#checkPurge(kept, purge !== null);
  }

  async #act(act: Act, more: Partial<Attempt>): Promise<void> {
    switch (act.kind) {
      case 'items':
        return await this.#writeItems(act);
      case 'rollback':
        return await this.#rollBack(act);
      case 'remove':
        return await this.#removeApproved(act, more);
      case 'job':
        break;
    }
    const { action, force, killed, again } = act;
    const steps: Exclude<Action, 'rollback'>[] = action === 'diff' ? ['delta', 'delete'] : [action];
    this.#job += 1;
    for (const [step, one] of steps.entries()) {
      const of = { ...more, action: one, force, step };
      const end = await this.#run(of, killed);
      if (end.code === 'ok' || end.code === 'deleteGuard') continue;
      if (!again) break;
      await this.#run({ ...of, attempt: 2, checkpoint: end.checkpoint });
    }
  }

  /** Runs an attempt of the current job and checks its result. */
  async #run(
    of: Partial<Attempt> & { action: Attempt['action'] },
    killed: number | null = null,
  ): Promise<AttemptEnd> {
    const held = this.#job === 1 ? [] : await this.#heldIds();
    const before = this.#job === 1 ? new Map<string, string>() : await readRows(this.#client, this.#form);
    this.counts.jobs += 1;
    this.#where = `job ${this.#job} (${of.action})`;
    const end = await this.#attempt(of, killed);
    const after = await readRows(this.#client, this.#form);
    this.#remember(before, after, differing(before, after));
    this.#checkGone(of, { before, after, held: new Set(held) });
    if (end.code !== 'ok') {
      if (end.code !== 'deleteGuard' && killed === null) this.#violate(`ended ${end.code}: ${end.message}`);
      // A killed attempt may have applied everything; the next attempt is checked for that.
      if (end.code === 'deleteGuard' && !same(before, after)) this.#violate('refused, and changed something');
      if (!same(before, after)) await this.#checkLive(of.action, before, after);
    } else if (end.message === '') await this.#checkLive(of.action, before, after);
    else if (!same(before, after)) this.#violate('was done already, and changed something');
    if (of.action === 'sync' && (await this.#isApplied()))
      this.#standing = [...new Set([...this.#standing, this.#job])];
    return end;
  }

  #remember(before: Rows, after: Rows, wrote: ReadonlySet<string>): void {
    const [standing, dirty] = [this.#standing, new Set(this.#dirty)];
    this.#sets.push({ job: this.#job, before, after, wrote, standing, dirty });
  }

  /**
   * No record leaves without a complete listing that lacks it and an answer to the question of its removal: below the limit
   * and never held, or forced, or approved by its id.
   */
  #checkGone(
    { action, force = false, approved = [] }: Partial<Attempt>,
    { before, after, held }: { before: Rows; after: Rows; held: ReadonlySet<string> },
  ): void {
    const gone = [...before.keys()].filter((id) => !after.has(id));
    if (gone.length === 0) return;
    if (action === 'remove') {
      this.counts.approved += gone.length;
      const named = new Set(approved);
      const wrong = gone.filter((id) => !named.has(id) || !held.has(id) || this.#source.answers.has(id));
      if (wrong.length > 0) this.#violate(`[${wrong.join(' ')}] went without an approval`);
      return;
    }
    const listed = new Set(this.#source.records.map(({ id }) => id));
    const missing = [...before.keys()].filter((id) => !listed.has(id));
    const wrong = gone.filter((id) => listed.has(id) || (!force && held.has(id)));
    if (action === 'delta' || wrong.length > 0) this.#violate(`[${wrong.join(' ')}] went without an answer`);
    if (!force && missing.length > 0 && gone.length > Math.max(5, Math.floor(before.size / 10)))
      this.#violate(`${gone.length} of ${before.size} records went, more than the guard allows`);
  }

  /** Others may have removed one in the meantime. */
  async #heldIds(): Promise<string[]> {
    const { rows } = await this.#client.query<{ id: string }>(
      `SELECT id FROM syncrator.kept JOIN cities USING (id) WHERE reason = 'held' ORDER BY id COLLATE "C"`,
    );
    return rows.map(({ id }) => id);
  }

  /** Approves some of the held records and one that is not held. */
  async #removeApproved(
    { approved: shares, answers, killed }: Extract<Act, { kind: 'remove' }>,
    more: Partial<Attempt>,
  ): Promise<void> {
    const held = await this.#heldIds();
    const [other] = this.#source.records;
    const named = shares.flatMap((share) => held[Math.floor(share * held.length)] ?? []);
    const approved = [...new Set([...named, other?.id ?? ''])];
    this.#job += 1;
    this.#source.answers = new Set(held.slice(0, Math.floor(answers * held.length)));
    const of = { ...more, action: 'remove', approved } as const;
    const end = await this.#run(of, killed);
    if (end.code !== 'ok') await this.#run({ ...of, attempt: 2 });
    const left = new Set(await this.#heldIds());
    const stayed = named.filter((id) => left.has(id));
    if (stayed.length > 0) this.#violate(`[${stayed.join(' ')}] are approved, and still wait`);
    const forgotten = held.filter((id) => !named.includes(id) && !left.has(id));
    if (forgotten.length > 0) this.#violate(`[${forgotten.join(' ')}] are not approved, and wait no longer`);
    this.#source.answers.clear();
  }

  async #attempt(
    of: Partial<Attempt> & { action: Attempt['action'] },
    killed: number | null,
  ): Promise<AttemptEnd> {
    const whole = {
      url: this.#url,
      job: this.#job,
      source: this.#source,
      columns: this.#form.columns,
      ...of,
    };
    if (killed === null) return await attempt(whole);
    const cut = { at: 1 + Math.floor(killed * STATEMENTS), when: 'after', ends: 'program' } as const;
    await using proxy = await startStatementProxy({ url: this.#url, cut });
    const end = await attempt({ ...whole, url: proxy.url });
    if (proxy.cut) this.counts.killed += 1;
    return end;
  }

  /** After a successful job the live rows equal the source's listing, except for rows that the sink reports as kept. */
  async #checkLive(action: Attempt['action'], before: Rows, after: Rows): Promise<void> {
    const listed = rowsOf(this.#source.records, this.#form);
    const kept = new Set(
      (await this.#client.query<{ id: string }>('SELECT id FROM syncrator.kept')).rows.map(({ id }) => id),
    );
    const strange = [...after.keys()].filter((id) => !listed.has(id) && !kept.has(id));
    this.counts.held += (await this.#heldIds()).length;
    if (action !== 'delta' && action !== 'remove' && strange.length > 0)
      this.#violate(`[${strange.join(' ')}] are live and not listed`);
    if (action === 'delete' || action === 'remove') {
      const other = [...after].filter(([id, text]) => before.get(id) !== text);
      if (other.length > 0) this.#violate(`a ${action} wrote something`);
      return;
    }
    if (action === 'sync') this.#dirty.clear();
    const lacks = [...listed].filter(([id, text]) => !this.#dirty.has(id) && after.get(id) !== text);
    if (lacks.length > 0)
      this.#violate(`[${lacks.map(([id]) => id).join(' ')}] are not as the source lists them`);
  }

  async #writeItems({ items, finish }: Extract<Act, { kind: 'items' }>): Promise<void> {
    this.#job += 1;
    this.counts.jobs += 1;
    this.#where = `job ${this.#job} (items)`;
    const before = await readRows(this.#client, this.#form);
    const sink = sinkOf(this.#own('sync'));
    try {
      await sink.open();
      await sink.items?.prepare();
      for (const nth of items) {
        const latest = { sha: `${this.#job}`.padStart(40, '0'), at: new Date().toISOString() };
        const text = JSON.stringify({ job: this.#job });
        await sink.items?.apply({ id: `item${nth}`, project: 'p', file: 'f', text, unseen: [], latest });
      }
      if (finish) await sink.items?.finish(null);
    } finally {
      await sink.close();
    }
    const after = await readRows(this.#client, this.#form);
    this.#remember(before, after, new Set(items.map((nth) => `item${nth}`)));
    if (finish) this.#standing = [...this.#standing, this.#job];
  }

  async #rollBack({
    before: share,
    among,
    only: chosen,
    killed,
  }: Extract<Act, { kind: 'rollback' }>): Promise<void> {
    const sets = among === 'kept' ? await this.#keptSets() : this.#sets;
    const jobs = [...new Set(sets.map(({ job }) => job))];
    const named = share === 'last' ? null : (jobs[Math.floor(share * jobs.length)] ?? null);
    const goal = named ?? this.#standing.at(-1) ?? null;
    this.#job += 1;
    this.counts.rollbacks += 1;
    this.counts.jobs += 1;
    this.#where = `job ${this.#job} (rollback before ${named ?? `the last sync, ${goal}`})`;
    const live = await readRows(this.#client, this.#form);
    const since = await this.#setsSince(goal);
    if (since === null) return await this.#expectNothing(named, live);
    const only = limitOf(chosen, since, live);
    const owed = owedBy(since, live, only && idsIn(only, since));
    if (only) this.counts.limited += 1;
    const first = since[0];
    if (owed.exact && first && !same(owed.rows, first.before))
      throw new Error('the model contradicts itself');
    if (owed.exact) this.counts.exact += 1;
    const sink = sinkOf(this.#own('rollback'));
    const to = { before: named === null ? null : uidOf(named), expect: null, ...(only && { only }) };
    const preview = await closing(sink, () => sink.previewRollback(to));
    this.#compare('preview', preview, {
      added: owed.added,
      updated: owed.updated,
      removed: owed.removed,
      changed_by_others: owed.changedByOthers,
    });
    const of = {
      action: 'rollback',
      before: named,
      expect: preview.digest,
      only: only ?? undefined,
    } as const;
    const held = await this.#heldIds();
    const watermark = await this.#watermark();
    let end = await this.#attempt(of, killed);
    const between = await readRows(this.#client, this.#form);
    if (!same(between, live) && !same(between, owed.rows)) this.#violate('was killed, and did a part');
    if (end.code !== 'ok' && killed !== null) end = await this.#attempt({ ...of, attempt: 2 }, null);
    if (end.code !== 'ok') this.#violate(`ended ${end.code}: ${end.message}`);
    const after = await readRows(this.#client, this.#form);
    if (!same(after, owed.rows)) this.#violate(difference(after, owed.rows));
    await this.#checkHeld(held, live, after);
    this.#remember(live, after, differing(live, after));
    if (only) {
      if ((await this.#watermark()) !== watermark) this.#violate('moved the watermark, though limited');
      this.#dirty = new Set([...this.#dirty, ...differing(live, after)]);
    } else this.#standing = [...(first?.standing ?? [])];
    this.#dirty = new Set([...this.#dirty, ...since.flatMap(({ dirty }) => [...dirty])]);
  }

  /** A rollback answers for no record that waits. */
  async #checkHeld(before: readonly string[], live: Rows, after: Rows): Promise<void> {
    const held = await this.#heldIds();
    const lost = before.filter((id) => live.has(id) && after.has(id) && !held.includes(id));
    if (lost.length > 0) this.#violate(`[${lost.join(' ')}] wait no longer`);
    const more = held.filter((id) => !before.includes(id));
    if (more.length > 0) this.#violate(`[${more.join(' ')}] wait now`);
  }

  async #watermark(): Promise<string | null> {
    const { rows } = await this.#client.query<{ watermark: string | null }>(
      'SELECT watermark::text FROM syncrator.sinks',
    );
    return rows[0]?.watermark ?? null;
  }

  /** null: no rollback is possible, since the sets were purged or the table was empty before. */
  async #setsSince(goal: number | null): Promise<PlayedSet[] | null> {
    if (goal === null || !(await this.#keptSets()).some(({ job }) => job === goal)) return null;
    const at = this.#sets.findIndex(({ job }) => job === goal);
    return goal === 1 || at === -1 ? null : this.#sets.slice(at);
  }

  async #expectNothing(before: number | null, live: Rows): Promise<void> {
    this.counts.refused += 1;
    const end = await this.#attempt({ action: 'rollback', before }, null);
    if (end.code !== 'nothingToRollBack') this.#violate(`ended ${end.code} although no rollback is possible`);
    const after = await readRows(this.#client, this.#form);
    if (!same(after, live)) this.#violate('refused, and changed something');
    this.#remember(live, after, new Set());
  }

  async #keptSets(): Promise<{ id: number; job: number; sync: boolean }[]> {
    const { rows } = await this.#client.query<{ id: string; job: string; sync: boolean }>(
      `SELECT id, job_id AS job, action = 'sync' AND state = 'applied' AS sync FROM syncrator.change_sets ORDER BY id`,
    );
    return rows.map(({ id, job, sync }) => ({ id: Number(id), job: Number(job), sync }));
  }

  /** Checks that only the oldest sets are purged, only when due, and never the last sync. */
  async #checkPurge(before: readonly { id: number; sync: boolean }[], due: boolean): Promise<void> {
    const kept = new Set((await this.#keptSets()).map(({ id }) => id));
    const gone = before.filter(({ id }) => !kept.has(id));
    if (gone.length === 0) return;
    this.counts.purged += gone.length;
    if (!due && !this.#aged) this.#violate('sets were purged before their time');
    if (gone.some(({ id }, at) => id !== before[at]?.id)) this.#violate('the purged sets are not a prefix');
    const orphans = await this.#client.query(
      'SELECT 1 FROM syncrator.changes WHERE change_set NOT IN (SELECT id FROM syncrator.change_sets)',
    );
    if (orphans.rowCount !== 0) this.#violate('changes were left of sets that are gone');
  }

  #aged = false;

  async #age(): Promise<void> {
    this.#aged = true;
    const kept = await this.#keptSets();
    const half = kept[Math.floor(kept.length / 2)];
    await this.#client.query(
      `UPDATE syncrator.change_sets SET applied_at = applied_at - interval '40 days', opened_at = opened_at - interval '40 days'
       WHERE id <= $1`,
      [half?.id],
    );
  }

  async #isApplied(): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `SELECT 1 FROM syncrator.change_sets WHERE job_id = $1 AND state = 'applied' AND action = 'sync'`,
      [this.#job],
    );
    return rowCount === 1;
  }

  #own(action: Action): Attempt {
    return { url: this.#url, action, job: this.#job, columns: this.#form.columns };
  }

  readonly #next = (): number => {
    this.#made += 1;
    return this.#made;
  };

  #compare(what: string, is: object, owes: Readonly<Record<string, number>>): void {
    for (const [key, value] of Object.entries(owes)) {
      const got = (is as Record<string, unknown>)[key];
      if (got !== value) this.#violate(`the ${what} tells ${key} ${String(got)}, and it is ${value}`);
    }
  }

  #violate(what: string): void {
    this.violations.push(`${this.#where}: ${what}`);
  }
}

type Chosen = Extract<Act, { kind: 'rollback' }>['only'];

function limitOf(chosen: Chosen, since: readonly PlayedSet[], live: Rows): RollbackLimit | null {
  if (chosen === null || chosen === 'of the job') return chosen;
  const all = [
    ...new Set(['nowhere', ...live.keys(), ...since.flatMap(({ wrote }) => [...wrote])]),
  ].toSorted();
  return { ids: [...new Set(chosen.map((share) => all[Math.floor(share * all.length)] ?? ''))] };
}

function idsIn(only: RollbackLimit, since: readonly PlayedSet[]): Set<string> {
  if (only !== 'of the job') return new Set(only.ids);
  return new Set(since.filter(({ job }) => job === since[0]?.job).flatMap(({ wrote }) => [...wrote]));
}

async function closing<T>(sink: Sink, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await sink.close();
  }
}
