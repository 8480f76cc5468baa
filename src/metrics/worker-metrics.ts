/** What a worker tells Prometheus of itself; what becomes of jobs is told by the api, out of Postgres. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type WorkerMetrics = {
  /** One try of a call of the apiserver; `status` 0 where no answer came. */
  readonly called: (call: { method: string; resource: string; status: number; seconds: number }) => void;
  readonly orphanFound: () => void;
  /** The reconciler has come round. */
  readonly passed: () => void;
  /** All of it, in the text format. */
  readonly scrape: () => Promise<string>;
};

export function createWorkerMetrics(): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Histogram({
    name: 'syncrator_kubernetes_request_seconds',
    help: 'Tries of calls of the apiserver; status 0: no answer.',
    labelNames: ['method', 'resource', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 8],
    registers,
  });
  const orphans = new Counter({
    name: 'syncrator_orphans_found_total',
    help: 'Kubernetes Jobs or processes of ours that belonged to no active job, and were removed.',
    registers,
  });
  const pass = new Gauge({
    name: 'syncrator_reconcile_last_pass_timestamp_seconds',
    help: 'When the reconciler last came round; it does so every 10 s.',
    registers,
  });
  // Of a new gauge it is 0: until its first pass a worker would say that it last came round in 1970.
  pass.remove();
  return {
    called({ seconds, ...labels }) {
      calls.observe(labels, seconds);
    },
    orphanFound: () => orphans.inc(),
    passed: () => pass.setToCurrentTime(),
    scrape: () => registry.metrics(),
  };
}
