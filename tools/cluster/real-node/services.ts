/**
 * Replaces kube-proxy and CoreDNS on a real node: the bridge has the addresses of Services, and connections to them are
 * forwarded to ready pods. TCP only, without NetworkPolicies.
 */
import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Endpoint, request } from '../api.ts';
import { type Address, type Forward, forward } from './forward.ts';
import { answerNames } from './names.ts';
import { BRIDGE, CLUSTER_DOMAIN, NAME_SERVER } from './places.ts';

const UPDATE_EVERY_MS = 250;
const OWN_LABEL = 'kubernetes.io/service-name';

type Meta = { readonly name: string; readonly namespace: string; readonly labels?: Record<string, string> };
type Service = {
  readonly metadata: Meta;
  readonly spec: {
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
  };
};
type Slice = {
  readonly metadata: Meta;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready?: boolean };
  }[];
};

export type Services = { stop(): Promise<void> };

/**
 * Resolves when the existing Services can be reached; a Service created later can be reached a moment afterwards.
 * @param api the administrator's endpoint
 */
export async function startServices(api: Endpoint, onProgress: (line: string) => void): Promise<Services> {
  const services = new ServiceForwards(api);
  await services.listen(NAME_SERVER);
  const server = await answerNames(NAME_SERVER, (name) => services.addressOf(name));
  await services.update();
  const updating = services.keepUpdated(onProgress);
  return {
    async stop() {
      services.end();
      await updating;
      await server.close();
      await services.close();
    },
  };
}

class ServiceForwards {
  readonly #api: Endpoint;
  readonly #ended = new AbortController();
  /** Open forwards by `<address>:<port>` of the Service. */
  readonly #forwards = new Map<string, Forward>();
  /** Service addresses that the bridge has. */
  readonly #addresses = new Set<string>();
  #names: ReadonlyMap<string, string> = new Map();
  #slices: readonly Slice[] = [];
  #turn = 0;

  constructor(api: Endpoint) {
    this.#api = api;
  }

  addressOf(name: string): string | undefined {
    return this.#names.get(name);
  }

  /** Adds the address to the bridge. */
  async listen(address: string): Promise<void> {
    if (this.#addresses.has(address)) return;
    const args = ['address', 'add', `${address}/32`, 'dev', BRIDGE];
    await promisify(execFile)('ip', args, { timeout: 10_000 });
    this.#addresses.add(address);
  }

  /** Opens and closes forwards so that they match the Services of the cluster. */
  async update(): Promise<void> {
    const services = await this.#list<Service>('/api/v1/services');
    this.#slices = await this.#list<Slice>('/apis/discovery.k8s.io/v1/endpointslices');
    const wanted = new Set<string>();
    const named = new Map<string, string>();
    for (const { metadata, spec } of services) {
      const { clusterIP: host = 'None', ports = [] } = spec;
      if (host === 'None' || host === '') continue;
      named.set(`${metadata.name}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}`, host);
      await this.listen(host);
      for (const { name, port, protocol } of ports) {
        if (protocol !== 'TCP') continue;
        const key = `${host}:${port}`;
        wanted.add(key);
        if (!this.#forwards.has(key))
          this.#forwards.set(key, await forward({ host, port }, () => this.#backend(metadata, name)));
      }
    }
    this.#names = named;
    for (const [key, open] of this.#forwards) {
      if (wanted.has(key)) continue;
      await open.close();
      this.#forwards.delete(key);
    }
  }

  /** Updates every 250 ms until `end`; reports each new error once. */
  async keepUpdated(onProgress: (line: string) => void): Promise<void> {
    const { signal } = this.#ended;
    let trouble = '';
    while (!signal.aborted) {
      try {
        await this.update();
        trouble = '';
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!signal.aborted && message !== trouble) onProgress(`cannot update services: ${message}`);
        trouble = message;
      }
      await wait(UPDATE_EVERY_MS, undefined, { signal }).catch(() => undefined); // an abort ends the loop
    }
  }

  end(): void {
    this.#ended.abort();
  }

  async close(): Promise<void> {
    for (const open of this.#forwards.values()) await open.close();
  }

  async #list<T>(path: string): Promise<readonly T[]> {
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(10_000)]);
    const { status, body } = await request(this.#api, 'GET', path, { signal });
    if (status !== 200) throw new Error(`GET ${path} answered ${status}`);
    return (JSON.parse(body) as { items: readonly T[] }).items;
  }

  /** The next ready pod of the Service, round robin; undefined without one. */
  #backend({ name, namespace }: Meta, port: string | undefined): Address | undefined {
    if (name === 'kubernetes' && namespace === 'default')
      return { host: '127.0.0.1', port: Number(new URL(this.#api.url).port) };
    const ready = this.#slices
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[OWN_LABEL] === name)
      .flatMap(({ ports, endpoints }) => {
        const there = ports?.find((one) => (one.name ?? '') === (port ?? ''))?.port;
        if (there === undefined) return [];
        return endpoints
          .filter(({ conditions }) => conditions.ready !== false)
          .flatMap((one) => one.addresses.map((host) => ({ host, port: there })));
      });
    return ready[(this.#turn += 1) % ready.length];
  }
}
