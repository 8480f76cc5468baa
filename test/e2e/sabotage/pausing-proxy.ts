/** A proxy in front of a sink server that keeps one request waiting until a test lets it go, or forget it. */
import { type Passing, startBendingProxy } from '../../support/bending-proxy.ts';

export type PausingProxy = AsyncDisposable & {
  readonly url: string;
  /** Stops the next matching request. Its caller is gone when `release` is called, so it is never passed on. */
  pause(
    matches: (request: Passing) => boolean,
  ): Promise<{ reached(): Promise<void>; release(): Promise<void> }>;
};

export async function pausingProxy(serverUrl: string): Promise<PausingProxy> {
  const proxy = await startBendingProxy(serverUrl);
  return {
    url: proxy.url,
    pause(matches) {
      const arrived = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<'cut'>();
      proxy.before = async (request) => {
        if (!matches(request)) return undefined;
        arrived.resolve();
        return await gate.promise;
      };
      return Promise.resolve({
        reached: () => arrived.promise,
        release() {
          proxy.before = null;
          gate.resolve('cut');
          return Promise.resolve();
        },
      });
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
