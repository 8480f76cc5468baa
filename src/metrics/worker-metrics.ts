/** Metrics of a worker process. The api serves the metrics of jobs, from Postgres. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobParams } from '../job-params/load.ts';
import { addParamsMetric } from './params-metric.ts';

export type WorkerMetrics = {
  /** Observes one attempt of a call to the apiserver; `status` 0: no answer. */
  readonly called: (call: { method: string; resource: string; status: number; seconds: number }) => void;
  readonly orphanFound: () => void;
  /** Notes a pass of the reconciler. */
  readonly passed: () => void;
  /** All metrics in the text format. */
  readonly scrape: () => Promise<string>;
};

export function createWorkerMetrics(params: JobParams, registry = new Registry()): WorkerMetrics {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Histogram({
    name: 'syncrator_kubernetes_request_seconds',
    help: 'Duration of calls to the Kubernetes apiserver, each attempt; status 0: no answer.',
    labelNames: ['method', 'resource', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 8],
    registers,
  });
  const orphans = new Counter({
    name: 'syncrator_orphans_found_total',
    help: 'Kubernetes Jobs or processes without an active job, which the worker removed.',
    registers,
  });
  const pass = new Gauge({
    name: 'syncrator_reconcile_last_pass_timestamp_seconds',
    help: 'Time of the last pass of the reconciler, which runs every 10 s.',
    registers,
  });
  // A new gauge is 0: before its first pass a worker would report a pass in 1970.
  pass.remove();
  addParamsMetric(registry, params);
  return {
    called({ seconds, ...labels }) {
      calls.observe(labels, seconds);
    },
    orphanFound: () => orphans.inc(),
    passed: () => pass.setToCurrentTime(),
    scrape: () => registry.metrics(),
  };
}
