/**
 * Connection to one apiserver: credentials (kubeconfig or in-cluster, read by the client library) and HTTP connections.
 * The library's own transport is not used: it opens a TLS connection per call and has no deadlines.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';
import { KubeConfigWithTokenFiles } from './kube-config.ts';

export type ConnectionSettings = {
  /** Context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
  /** Default: the context's namespace, else `default`. */
  readonly namespace?: string | undefined;
};

type Identity = { readonly headers: Record<string, string>; readonly dispatcher: Dispatcher };

export type Connection = {
  readonly server: string;
  readonly context: string;
  readonly namespace: string;
  /** Returns headers and dispatcher for one request; calls and long streams use separate pools. */
  authenticate(use: 'call' | 'stream'): Promise<Identity>;
  /** Rereads kubeconfig and token files, which may have been rotated before a 401. */
  reload(): void;
  close(): Promise<void>;
};

/** How long an identity is reused: decoding and hashing certificates for every call took 5 % of a busy worker's CPU. */
const IDENTITY_MS = 1_000;
/** Most connections of each pool; further calls wait, streams are unlimited. */
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

/** The library's options for a dispatcher, and its factory of dispatchers (used for proxies). */
type Wish = {
  readonly wanted: ReturnType<DispatcherMaker['createDispatcherOptions']>;
  readonly make: () => Dispatcher | undefined;
};

/** @throws Error naming the setting to change: no cluster configured, unknown context, or TLS verification disabled */
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
      // The library passes the wish of `load()`; the pool for it is known only here.
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
        `KUBERNETES_CONTEXT ${settings.context} is not in the kubeconfig; known contexts: ${known.join(', ')}`,
      );
    config.setCurrentContext(settings.context);
  }
  const cluster = config.getCurrentCluster();
  // The library falls back to this address when it finds no configuration.
  if (!cluster || cluster.server === 'http://localhost:8080')
    throw new Error('no Kubernetes cluster is configured: set KUBECONFIG, or run inside a cluster');
  if (cluster.skipTLSVerify)
    throw new Error(
      `the kubeconfig disables TLS verification for ${cluster.server}: set certificate-authority instead`,
    );
  const context = config.getCurrentContext();
  return {
    config,
    server: cluster.server.replace(/\/+$/, ''),
    context,
    namespace: settings.namespace ?? config.getContextObject(context)?.namespace ?? 'default',
  };
}

/** Shares one TLS context, else each connection would parse and keep the CA certificates: 200 followed logs, 200 copies. */
function withOneContext(options: TlsOptions): TlsOptions & { secureContext: SecureContext } {
  const { ca, cert, key, pfx, passphrase, ...rest } = options;
  const own = Object.entries({ ca, cert, key, pfx, passphrase }).filter(([, value]) => value !== undefined);
  return { ...rest, secureContext: createSecureContext(Object.fromEntries(own)) };
}

/** Returns the pool of this server and these credentials; rotated certificates replace it. */
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
          // With HTTP/2 (undici 8.12) watches of some megabytes stalled until the apiserver closed them.
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
