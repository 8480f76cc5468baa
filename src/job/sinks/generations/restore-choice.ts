/** Chooses the copies that a rollback of some records brings back, and says why others cannot come back. */
import { JobError } from '../../job-error.ts';
import { isAfter } from '../../sources/byte-order.ts';
import type { RollbackTo } from '../sink.ts';
import { firstIds } from './first-ids.ts';
import { type CopyFacts, type CopyStore, namesOf } from './removed-copies.ts';
import { jobInWords, nothingToRollBack } from './rollback-goal.ts';
import type { LeftBy } from './state-parts.ts';

export type Chosen = {
  /** The job to go back to before. */
  readonly before: LeftBy;
  /** At most one copy of a record, in byte order of their ids. */
  readonly pages: () => AsyncIterable<readonly CopyFacts[]> | Iterable<readonly CopyFacts[]>;
};

type Of = { readonly alias: string; readonly sink: string; readonly copies: CopyStore };

/** @throws JobError `nothingToRollBack`, `usage` */
export async function chooseCopies(of: Of, { before, only }: RollbackTo): Promise<Chosen> {
  if (only === 'of the job') return await chooseOfJob(of, before);
  return await chooseByIds(of, only?.ids ?? [], before);
}

async function chooseOfJob({ alias, copies }: Of, before: string | null): Promise<Chosen> {
  if (before === null)
    throw new JobError('usage', '--only needs --before <job>, which names the job whose removals come back');
  const job = await firstJob(copies.stream({ job: before }));
  if (!job) throw nothingToRollBack(alias, noneOf(before));
  return { before: job, pages: () => oldestOfEach(copies.stream({ job: before })) };
}

async function firstJob(pages: AsyncIterable<readonly CopyFacts[]>): Promise<LeftBy | null> {
  for await (const [first] of pages) if (first) return first.job;
  return null;
}

/** A diff may have removed a record twice. */
async function* oldestOfEach(
  pages: AsyncIterable<readonly CopyFacts[]>,
): AsyncGenerator<readonly CopyFacts[]> {
  let last: string | null = null;
  for await (const page of pages) {
    const some: CopyFacts[] = [];
    for (const facts of page) {
      if (facts.id !== last) some.push(facts);
      last = facts.id;
    }
    if (some.length > 0) yield some;
  }
}

/** Of each record the oldest copy from the job on: that is as near to the time before the job as copies go. */
async function chooseByIds(of: Of, ids: readonly string[], before: string | null): Promise<Chosen> {
  const { alias, copies } = of;
  const all = new Map<string, CopyFacts[]>();
  for await (const page of copies.stream({ ids }))
    for (const facts of page) all.set(facts.id, [...(all.get(facts.id) ?? []), facts]);
  const job = before === null ? null : await firstJob(copies.stream({ job: before }));
  const words = [...all.values()].flatMap((found) => found.at(-1) ?? []);
  if (before !== null && !job) throw nothingToRollBack(alias, `${noneOf(before)}${removedBy(words)}`);
  const chosen: CopyFacts[] = [];
  for (const id of ids) {
    const found = all.get(id) ?? [];
    const one = job === null ? found.at(-1) : found.find((facts) => isFrom(facts.job, { job, before }));
    if (one) chosen.push(one);
  }
  const missing = ids.filter((id) => !chosen.some((facts) => facts.id === id));
  if (missing.length > 0)
    throw nothingToRollBack(
      alias,
      `no copy of ${firstIds(missing)} is kept${job === null ? '' : ` from ${jobInWords(job)} on`}, because no job of that time removed ` +
        `it, or more than KEEP_CHANGES ago${removedBy(words.filter(({ id }) => missing.includes(id)))}. ${wholeInstead(of.sink)}`,
    );
  chosen.sort((one, other) => (isAfter(one.id, other.id) ? 1 : -1));
  const oldest = chosen.toSorted((one, other) => (one.job.at < other.job.at ? -1 : 1))[0];
  if (!oldest) throw nothingToRollBack(alias, 'no record is named');
  return { before: job ?? oldest.job, pages: () => [chosen] };
}

/** Attempts of one job have several times. */
function isFrom(one: LeftBy, { job, before }: { job: LeftBy; before: string | null }): boolean {
  return one.at >= job.at || (before !== null && namesOf(one).includes(before));
}

/** Says which job to name instead. */
function removedBy([first]: readonly CopyFacts[]): string {
  if (!first) return '';
  const [name] = namesOf(first.job);
  const fix = name === undefined ? 'leave --before out' : `--before ${name}`;
  return `; ${firstIds([first.id])} was removed by ${jobInWords(first.job)}: ${fix}`;
}

function noneOf(before: string): string {
  return `no copies of records that the job ${before} removed are kept (KEEP_CHANGES)`;
}

function wholeInstead(sink: string): string {
  return (
    `${sink} brings single records back only if a job removed them; earlier values of updated records come back with the whole ` +
    'generation: a rollback without --id and --only'
  );
}

/** All of the named records or none. @throws JobError `nothingToRollBack` */
export function refuseUnrestorable(
  sink: string,
  ids: readonly string[],
  restored: ReadonlySet<string>,
): void {
  const live = ids.filter((id) => !restored.has(id));
  if (live.length === 0) return;
  const are = live.length === 1 ? 'is' : 'are';
  throw new JobError(
    'nothingToRollBack',
    `nothing was changed: ${firstIds(live)} ${are} live. ${wholeInstead(sink)}`,
  );
}
