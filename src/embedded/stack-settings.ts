/** Settings of `npm start`, read from its environment and checked before anything starts. */
import { freePort, isPortFree } from './ports.ts';

export type StackSettings = {
  readonly host: string;
  readonly port: number;
  /** The unchanged setting; relative to the working folder. */
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly temporalAddress: string | undefined;
  readonly temporalUiUrl: string | undefined;
  readonly secret: string | undefined;
  readonly metricsHost: string;
  readonly metricsPort: number | undefined;
  readonly temporalMetricsPort: number | undefined;
};

/** Ports of the parts; all of them were free when checked. */
export type StackPorts = {
  readonly page: number;
  /** Ports of `GET /metrics`; undefined without METRICS_PORT. */
  readonly metrics: { readonly api: number; readonly worker: number } | undefined;
  /** Port of the metrics of the worker's Temporal SDK; undefined without TEMPORAL_METRICS_PORT. */
  readonly temporalMetrics: number | undefined;
};

const LAST_PORT = 65_535;
/** Number of ports after a taken one that are tried for a suggestion. */
const OFFERS = 100;

/** Reads the settings; an empty variable counts as unset. @throws Error naming the invalid variable */
export function readStackSettings(env: NodeJS.ProcessEnv): StackSettings {
  const text = (name: string) => (env[name] === '' ? undefined : env[name]);
  const port = (name: string) => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (/^\d{1,5}$/.test(value) && Number(value) <= LAST_PORT) return Number(value);
    throw new Error(`${name} ${JSON.stringify(value)} is not a port number: use 0 to ${LAST_PORT}`);
  };
  return {
    host: text('HOST') ?? '127.0.0.1',
    port: port('PORT') ?? 8080,
    dataDir: text('SYNCRATOR_DATA') ?? '.data',
    databaseUrl: text('DATABASE_URL'),
    temporalAddress: text('TEMPORAL_ADDRESS'),
    temporalUiUrl: text('TEMPORAL_UI_URL'),
    secret: text('SYNCRATOR_SECRET'),
    metricsHost: text('METRICS_HOST') ?? '127.0.0.1',
    metricsPort: port('METRICS_PORT'),
    temporalMetricsPort: port('TEMPORAL_METRICS_PORT'),
  };
}

/**
 * Chooses the ports to listen on; 0 selects any free port. Api and worker share one environment, so METRICS_PORT is the
 * api's, and the worker uses the next port that no other setting names.
 * @throws Error naming a variable whose port is in use, or two variables with the same port
 */
export async function choosePorts(settings: StackSettings): Promise<StackPorts> {
  const { host, metricsHost } = settings;
  const named = new Map<number, string>();
  const claim = async (variable: string, on: string, port: number) => {
    if (port === 0) {
      const free = await freePort(undefined, { except: new Set(named.keys()) });
      named.set(free, variable);
      return free;
    }
    const other = named.get(port);
    if (other !== undefined)
      throw new Error(`${variable} and ${other} both name port ${port}: set different ports`);
    named.set(port, variable);
    if (!(await isPortFree(port, on))) throw new Error(await takenPort(variable, { host: on, port }, named));
    return port;
  };
  const page = await claim('PORT', host, settings.port);
  const temporalMetrics =
    settings.temporalMetricsPort === undefined
      ? undefined
      : await claim('TEMPORAL_METRICS_PORT', metricsHost, settings.temporalMetricsPort);
  if (settings.metricsPort === undefined) return { page, metrics: undefined, temporalMetrics };
  const api = await claim('METRICS_PORT', metricsHost, settings.metricsPort);
  let next = settings.metricsPort === 0 ? 0 : api + 1;
  while (named.has(next)) next++;
  const worker = await claim('METRICS_PORT (of the worker, the next one)', metricsHost, next);
  return { page, metrics: { api, worker }, temporalMetrics };
}

/** All ports of the parts. */
export function portsOf({ page, metrics, temporalMetrics }: StackPorts): ReadonlySet<number> {
  return new Set([page, metrics?.api, metrics?.worker, temporalMetrics].filter((port) => port !== undefined));
}

/** Suggests a free port; finding the process that listens would need more permissions. */
async function takenPort(
  variable: string,
  taken: { host: string; port: number },
  named: ReadonlyMap<number, string>,
): Promise<string> {
  const [name = ''] = variable.split(' ');
  let offer: number | undefined;
  for (let port = taken.port + 1; port <= Math.min(taken.port + OFFERS, LAST_PORT) && !offer; port++)
    if (!named.has(port) && (await isPortFree(port, taken.host))) offer = port;
  const fix =
    offer === undefined ? `set ${name} to another port` : `use the next free one: ${name}=${offer} npm start`;
  return `port ${taken.port} on ${taken.host} is taken (${variable}): stop the process that listens there, or ${fix}`;
}

/** URL of a listener from this machine: 127.0.0.1 if it listens on all addresses; IPv6 in brackets. */
export function urlAt(host: string, port: number): string {
  const name = /^[0:.]+$/.test(host) ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
