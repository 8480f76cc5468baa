/** Histogram whose buckets are counted in Postgres; prom-client's own counts only observations of this process. */
import type { Metric } from 'prom-client';

export type StoredSeries = {
  readonly labels: Readonly<Record<string, string>>;
  readonly sum: number;
  /** At or below each bound and above the one before; the last: above all. */
  readonly places: readonly number[];
};

type Value = { metricName: string; labels: Record<string, string | number>; value: number };

/**
 * A metric for a registry.
 * @param of.labelNames labels of the series, to list metrics without a scrape
 * @param of.read called at each scrape
 */
export function storedHistogram(of: {
  name: string;
  help: string;
  labelNames: readonly string[];
  bounds: readonly number[];
  read: () => Promise<readonly StoredSeries[]>;
}): Metric {
  const { name, help, labelNames, bounds, read } = of;
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    values: (await read()).flatMap((series) => valuesOf(name, bounds, series)),
  });
  return { name, help, labelNames, type: 'histogram', get } as unknown as Metric;
}

/** https://prometheus.io/docs/concepts/metric_types/#histogram: each bucket counts all below it too. */
function valuesOf(name: string, bounds: readonly number[], { labels, sum, places }: StoredSeries): Value[] {
  let below = 0;
  const buckets = [...bounds, Infinity].map((bound, place): Value => {
    below += places[place] ?? 0;
    const le = bound === Infinity ? '+Inf' : bound;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
}
