/**
 * Services of the cluster, in place of kube-proxy and of its name server: each address of one is the bridge's, where a
 * connection is passed on to one of its ready pods. Only TCP, and no policy is enforced. All of it ends with the bridge.
 */
import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Endpoint, request } from '../api.ts';
import { type Address, type Forward, forward } from './forward.ts';
import { answerNames } from './names.ts';
import { BRIDGE, CLUSTER_DOMAIN, NAME_SERVER } from './places.ts';

const LOOK_MS = 250;
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
 * Resolves when the Services that there are can be reached; those that come later can be a moment after.
 * @param api the administrator's
 */
export async function startServices(api: Endpoint, onProgress: (line: string) => void): Promise<Services> {
  const ended = new AbortController();
  const doors = new Map<string, Forward>();
  const addresses = new Set<string>();
  let names: ReadonlyMap<string, string> = new Map();
  let slices: readonly Slice[] = [];
  let turn = 0;
  const apiserver: Address = { host: '127.0.0.1', port: Number(new URL(api.url).port) };

  async function list<T>(path: string): Promise<readonly T[]> {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(10_000)]);
    const { status, body } = await request(api, 'GET', path, { signal });
    if (status !== 200) throw new Error(`GET ${path} answered ${status}`);
    return (JSON.parse(body) as { items: readonly T[] }).items;
  }

  /** In turn, of those that are ready. */
  function behind({ name, namespace }: Meta, port: string | undefined): Address | undefined {
    if (name === 'kubernetes' && namespace === 'default') return apiserver;
    const ready = slices
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[OWN_LABEL] === name)
      .flatMap(({ ports, endpoints }) => {
        const there = ports?.find((one) => (one.name ?? '') === (port ?? ''))?.port;
        if (there === undefined) return [];
        return endpoints
          .filter(({ conditions }) => conditions.ready !== false)
          .flatMap((one) => one.addresses.map((host) => ({ host, port: there })));
      });
    return ready[(turn += 1) % ready.length];
  }

  async function listen(address: string): Promise<void> {
    if (addresses.has(address)) return;
    const args = ['address', 'add', `${address}/32`, 'dev', BRIDGE];
    await promisify(execFile)('ip', args, { timeout: 10_000 });
    addresses.add(address);
  }

  async function look(): Promise<void> {
    const services = await list<Service>('/api/v1/services');
    slices = await list<Slice>('/apis/discovery.k8s.io/v1/endpointslices');
    const wanted = new Set<string>();
    const named = new Map<string, string>();
    for (const { metadata, spec } of services) {
      const { clusterIP: host = 'None', ports = [] } = spec;
      if (host === 'None' || host === '') continue;
      named.set(`${metadata.name}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}`, host);
      await listen(host);
      for (const { name, port, protocol } of ports) {
        const door = `${host}:${port}`;
        if (protocol !== 'TCP') continue;
        wanted.add(door);
        if (!doors.has(door)) doors.set(door, await forward({ host, port }, () => behind(metadata, name)));
      }
    }
    names = named;
    for (const [door, open] of doors) {
      if (wanted.has(door)) continue;
      await open.close();
      doors.delete(door);
    }
  }

  async function keepLooking(): Promise<void> {
    let trouble = '';
    while (!ended.signal.aborted) {
      try {
        await look();
        trouble = '';
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        if (!ended.signal.aborted && said !== trouble) onProgress(`services stay as they were: ${said}`);
        trouble = said;
      }
      await wait(LOOK_MS, undefined, { signal: ended.signal }).catch(() => undefined); // the loop ends itself
    }
  }

  await listen(NAME_SERVER);
  const server = await answerNames(NAME_SERVER, (name) => names.get(name));
  await look();
  const looking = keepLooking();
  return {
    async stop() {
      ended.abort();
      await looking;
      await server.close();
      for (const door of doors.values()) await door.close();
    },
  };
}
