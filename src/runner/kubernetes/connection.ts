/**
 * The way to one apiserver: who we are (kubeconfig or in-cluster, by the client library) and how bytes travel. The
 * library's own transport is not used: it makes a TLS connection per call and has no deadlines.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';
import { KubeConfigWithTokenFiles } from './kube-config.ts';

export type ConnectionSettings = {
  /** Of the kubeconfig; its current one by default. */
  readonly context?: string | undefined;
  /** The context's own, else `default`. */
  readonly namespace?: string | undefined;
};

type Identity = { readonly headers: Record<string, string>; readonly dispatcher: Dispatcher };

export type Connection = {
  readonly server: string;
  readonly context: string;
  readonly namespace: string;
  /** Headers and dispatcher for one request; calls and long streams have pools of their own. */
  authenticate(use: 'call' | 'stream'): Promise<Identity>;
  /** Reads kubeconfig and token files anew: after a 401 they may have been rotated. */
  reload(): void;
  close(): Promise<void>;
};

/** Decoding certificates and hashing them for every call took a twentieth of a busy worker. */
const IDENTITY_MS = 1_000;
/** More calls at once than this wait for a connection; each stream has one of its own. */
const CONNECTIONS = { call: 12, stream: null };

type TlsOptions = SecureContextOptions & { rejectUnauthorized?: boolean; servername?: string };

/** Private in the library's types; overridden so that connections are kept (kubernetes-client/javascript#2893). */
type DispatcherMaker = {
  createDispatcherOptions(
    cluster: unknown,
    options: unknown,
  ): { type: string; connect?: TlsOptions & { keepAlive?: boolean; keepAliveInitialDelay?: number } };
  createDispatcher(cluster: unknown, options: unknown): unknown;
};

/** What a request needs of its dispatcher, and the library's own way to make one (proxies). */
type Wish = {
  readonly wanted: ReturnType<DispatcherMaker['createDispatcherOptions']>;
  readonly make: () => Dispatcher | undefined;
};

/** @throws Error that says which setting to give when there is no cluster, no such context, or no TLS verification */
export function connectKubernetes(settings: ConnectionSettings): Connection {
  const pools = { call: new Map<string, Dispatcher>(), stream: new Map<string, Dispatcher>() };
  let loaded = load(settings);
  let identities: Partial<Record<'call' | 'stream', { at: number; identity: Promise<Identity> }>> = {};
  return {
    server: loaded.server,
    context: loaded.context,
    namespace: loaded.namespace,
    authenticate(use) {
      const last = identities[use];
      if (last && Date.now() - last.at < IDENTITY_MS) return last.identity;
      const identity = identify(use);
      identities[use] = { at: Date.now(), identity };
      return identity;
    },
    reload() {
      identities = {};
      loaded = load(settings);
    },
    async close() {
      const all = [...pools.call.values(), ...pools.stream.values()];
      await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
    },
  };

  async function identify(use: 'call' | 'stream'): Promise<Identity> {
    const headers: Record<string, string> = {};
    let dispatcher: Dispatcher | undefined;
    await loaded.config.applySecurityAuthentication({
      setHeaderParam: (name: string, value: string) => (headers[name] = value.trim()),
      // What it hands over is what load() made it hand over: the wish, which only here meets its pool.
      setDispatcher: (wish: unknown) => (dispatcher = kept(pools[use], CONNECTIONS[use], wish as Wish)),
    } as unknown as RequestContext);
    if (!dispatcher) throw new Error('the client library made no dispatcher');
    return { headers, dispatcher };
  }
}

function load(settings: ConnectionSettings) {
  const config = new KubeConfigWithTokenFiles();
  config.loadFromDefault();
  const maker = config as unknown as DispatcherMaker;
  const makeByLibrary = maker.createDispatcher.bind(config);
  maker.createDispatcher = (cluster, options): Wish => ({
    wanted: maker.createDispatcherOptions(cluster, options),
    make: () => makeByLibrary(cluster, options) as Dispatcher | undefined,
  });
  if (settings.context !== undefined) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(settings.context))
      throw new Error(
        `KUBERNETES_CONTEXT ${settings.context} is not in the kubeconfig; it has: ${known.join(', ')}`,
      );
    config.setCurrentContext(settings.context);
  }
  const cluster = config.getCurrentCluster();
  // What the library falls back to when it finds no configuration at all.
  if (!cluster || cluster.server === 'http://localhost:8080')
    throw new Error('no Kubernetes cluster is configured: set KUBECONFIG, or run inside a cluster');
  if (cluster.skipTLSVerify)
    throw new Error(
      `the kubeconfig switches TLS verification off for ${cluster.server}; give its certificate-authority`,
    );
  const context = config.getCurrentContext();
  return {
    config,
    server: cluster.server.replace(/\/+$/, ''),
    context,
    namespace: settings.namespace ?? config.getContextObject(context)?.namespace ?? 'default',
  };
}

/** By itself each connection would parse the authorities anew and keep them: 200 followed logs, 200 copies. */
function withOneContext(options: TlsOptions): TlsOptions & { secureContext: SecureContext } {
  const { ca, cert, key, pfx, passphrase, ...rest } = options;
  const own = Object.entries({ ca, cert, key, pfx, passphrase }).filter(([, value]) => value !== undefined);
  return { ...rest, secureContext: createSecureContext(Object.fromEntries(own)) };
}

/** One pool per server identity and credentials: rotated certificates make a new one. */
function kept(
  pool: Map<string, Dispatcher>,
  connections: number | null,
  { wanted, make }: Wish,
): Dispatcher | undefined {
  const hash = createHash('sha256').update(JSON.stringify(wanted)).digest('hex');
  const known = pool.get(hash);
  if (known) return known;
  const made =
    wanted.type === 'agent' || wanted.type === 'none'
      ? new Agent({
          ...(wanted.connect === undefined ? {} : { connect: withOneContext(wanted.connect) }),
          // With HTTP/2 a watch of some megabytes was seen to stall and be closed by the apiserver (undici 8.12).
          allowH2: false,
          headersTimeout: 30_000,
          bodyTimeout: 0,
          keepAliveTimeout: 30_000,
          connections,
        })
      : make();
  if (!made) return undefined;
  for (const old of pool.values()) void old.close();
  pool.clear();
  pool.set(hash, made);
  return made;
}
