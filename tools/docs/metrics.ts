/** docs/reference/metrics.md: every metric that api and worker register with prom-client. */
import { Registry } from 'prom-client';
import { createApiMetrics } from '../../src/metrics/api-metrics.ts';
import { createWorkerMetrics } from '../../src/metrics/worker-metrics.ts';
import type { DocumentedApp } from './app.ts';
import { cell, code, page, table } from './markdown.ts';

type Registered = { readonly name: string; readonly help: string; readonly labelNames?: readonly string[] };

export function metricsPage(app: DocumentedApp): string {
  const api = registeredBy((registry) => createApiMetrics({ ...app, registry }));
  const worker = registeredBy((registry) => createWorkerMetrics(app.params, registry));
  return page(
    'Metrics',
    'Served on `METRICS_PORT` in the text format of Prometheus ([how to scrape](../how-to/monitoring.md#scrape-it-with-prometheus)). ' +
      'Both processes also serve the default metrics of prom-client (`process_*`, `nodejs_*`).',
    '## Metrics of the api',
    'Metrics of jobs, targets and schedules come from Postgres: every api process reports the same numbers. Take `max` of them, not ' +
      '`sum`.',
    rows(api),
    '## Metrics of the worker',
    rows(worker),
    'With `TEMPORAL_METRICS_PORT` the Temporal SDK serves its own metrics (`temporal_*`).',
  );
}

/** Our own metrics, in the order of their registration. */
function registeredBy(create: (registry: Registry) => unknown): Registered[] {
  const registry = new Registry();
  create(registry);
  return registry.getMetricsAsArray().filter(({ name }) => name.startsWith('syncrator_'));
}

function rows(metrics: readonly Registered[]): string {
  return table(
    ['Metric', 'Labels', 'Meaning'],
    metrics.map(({ name, help, labelNames = [] }) => [
      code(name),
      labelNames.map(code).join(', '),
      cell(help),
    ]),
  );
}
