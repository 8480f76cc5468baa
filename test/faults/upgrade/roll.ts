/**
 * Replaces apis and workers one by one, like the chart's two Deployments: the next one is ready before the last one
 * gets SIGTERM.
 */
import type { ProductPart } from '../../support/product-part.ts';
import { type Rig, urlOf } from '../rig/rig.ts';

export type Fleet = { readonly apis: readonly ProductPart[]; readonly workers: readonly ProductPart[] };

export type Rolled = Fleet & {
  /** Seconds from SIGTERM to the end of the process. */
  readonly drained: readonly number[];
};

/**
 * Both kinds at the same time, those of a kind one after the other.
 * @throws Error that names the part that did not start
 */
export async function roll(rig: Rig, fleet: Fleet): Promise<Rolled> {
  const drained: number[] = [];
  const end = async (part: ProductPart) => {
    const began = Date.now();
    await part.stop();
    drained.push((Date.now() - began) / 1000);
  };
  const rollApis = async () => {
    const apis: ProductPart[] = [];
    for (const last of fleet.apis) {
      const next = await rig.oneMore.api();
      await next.part.start();
      // Like a Service: calls go to the next one from now on, and no longer to the last.
      rig.urls.push(urlOf(next.port));
      rig.urls.shift();
      await rig.links.report.pointTo(`127.0.0.1:${next.port}`);
      await end(last);
      apis.push(next.part);
    }
    return apis;
  };
  const rollWorkers = async () => {
    const workers: ProductPart[] = [];
    for (const last of fleet.workers) {
      const next = await rig.oneMore.worker();
      await next.start();
      await end(last);
      workers.push(next);
    }
    return workers;
  };
  const [apis, workers] = await Promise.all([rollApis(), rollWorkers()]);
  return { apis, workers, drained };
}
