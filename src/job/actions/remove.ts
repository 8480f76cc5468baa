/** Action remove: removes held records that people have approved, unless the source has them again. */
import { JobError } from '../job-error.ts';
import { isAfter } from '../sources/byte-order.ts';
import type { Source } from '../sources/source.ts';
import type { ActionContext } from './action.ts';
import { reportApplied } from './report-applied.ts';

/** For a source that reads all of its records to answer a question about some. */
const IDS_AT_ONCE = 100_000;

type Context = Pick<ActionContext, 'sink' | 'progress' | 'log' | 'stop'> & {
  readonly source: Pick<Source, 'survey' | 'stillThere' | 'rereads'>;
  /** The approved ids, some at a time. */
  readonly approved: AsyncIterable<readonly string[]>;
};

export async function remove(context: Context): Promise<void> {
  const { source, sink, approved, progress, log, stop } = context;
  if (!sink.held)
    throw new JobError(
      'notConfigured',
      `${sink.place} holds no removals, so there is none to approve; nothing was touched`,
    );
  const removal = await sink.held.beginRemoval();
  progress({ phase: 'asking for what would go' });
  let asked = 0;
  let stay = 0;
  for await (const ids of joinPages(approved, source.rereads === true ? IDS_AT_ONCE : 1)) {
    stop.throwIfAborted();
    if (asked === 0) await refuseEmpty(source);
    const answers = await source.stillThere(ids.toSorted((one, other) => (isAfter(one, other) ? 1 : -1)));
    const there = ids.filter((id) => answers.has(id));
    await removal.add({ there, gone: ids.filter((id) => !answers.has(id)) });
    asked += ids.length;
    stay += there.length;
    progress({ records_done: asked });
  }
  log.info(`re-checked ${asked} approved records: the source has ${stay} of them again`);
  stop.throwIfAborted();
  progress({ phase: 'applying' });
  const applied = await removal.apply();
  const settled = asked - stay - applied.removed - (applied.kept.referenced ?? 0);
  reportApplied(context, applied, {
    warnings: [
      stay > 0 ? `${stay} of the approved records stay, because the source has them again` : null,
      settled > 0 ? `${settled} of the approved records waited no longer` : null,
    ],
  });
}

/** A source that has lost everything has not lost these records alone. */
async function refuseEmpty(source: Pick<Source, 'survey'>): Promise<void> {
  const { total } = await source.survey(null);
  if (total === 0) throw new JobError('deleteGuard', 'nothing was changed: the source is empty');
}

/** Joins pages until they have at least this many ids. */
async function* joinPages(
  pages: AsyncIterable<readonly string[]>,
  least: number,
): AsyncGenerator<readonly string[]> {
  let group: string[] = [];
  for await (const page of pages) {
    group.push(...page);
    if (group.length < least) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
