/**
 * Loads views when first shown, or in the background once the page is idle. From then on an open tab holds every view,
 * and an upgrade of the server cannot break it.
 */
import { lazyRouteComponent } from '@tanstack/react-router';
import { keepAssets } from './page-config.ts';

type Load<T> = () => Promise<T>;

const loads: Load<unknown>[] = [];
let isKept = false;

/** On a failed load the router reloads the page once; a second failure shows ViewFault. */
export const lazyView: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(preloadable(load), name);

/** Registers a load for `preloadViews`. If it fails, all available assets are cached before the next try. */
export function preloadable<T>(load: Load<T>): Load<T> {
  loads.push(load);
  return async () => {
    try {
      return await load();
    } catch (error) {
      await keepAssets();
      throw error;
    }
  };
}

/** Call once a user may read: an anonymous visitor then loads no more than the sign-in form. */
export function preloadViews(): void {
  if (isKept) return;
  isKept = true;
  const whenIdle = globalThis.requestIdleCallback ?? setTimeout; // Safari has none
  whenIdle(() => {
    void keepAssets()
      .then(() => Promise.allSettled(loads.map((load) => load())))
      .then(() => performance.mark('all views are kept'));
  });
}
