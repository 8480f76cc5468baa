/** The gauge by which api and worker tell that the params files on disk are faulty. */
import { Gauge, type Registry } from 'prom-client';
import type { JobParams } from '../job-params/load.ts';

export function addParamsMetric(registry: Registry, params: JobParams): void {
  new Gauge({
    name: 'syncrator_params_faults',
    help: 'Faults of the params files on disk, as this process sees them; while there are any, it uses the last good state.',
    registers: [registry],
    collect() {
      this.set(params.faults.length);
    },
  });
}
