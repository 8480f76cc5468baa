/** The first day on which a kept record of a loss is proposed again, if the records read so far tell it. */
import { useInfiniteQuery } from '@tanstack/react-query';
import type { LossJson } from '../../client/client.ts';
import { dayOf } from '../../client/loss-format.ts';
import { queries } from '../app/queries.ts';

/** @returns null if a kept record is on a page that was not read */
export function useKeptUntil(loss: LossJson): string | null {
  const { data } = useInfiniteQuery(queries.lossRecords(loss, ''));
  const times = (data?.pages ?? []).flatMap(({ records }) =>
    records.flatMap(({ pinned_until: until }) => (until === null ? [] : [until])),
  );
  const [first] = times.toSorted();
  return first === undefined || times.length < loss.pinned ? null : dayOf(first);
}
