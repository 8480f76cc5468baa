/** Compares the manifest of every hostile start with that of an innocent one. */
import type { Write } from '../audit/etcd.ts';
import { JOBS } from '../audit/lives.ts';

export type Started = {
  readonly id: number;
  readonly action: string;
  readonly options: string;
  readonly tag: string;
  readonly query: string;
  readonly what: string;
};

type Stored = {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
};
type Container = {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
};

/** Fields in which one job may differ from another, with the reason. `env` stands for its values, by name. */
const DIFFERS: readonly { readonly at: RegExp; readonly because: string }[] = [
  { at: /^metadata\.(name|uid|creationTimestamp|resourceVersion)$/, because: 'each has its own' },
  { at: /^metadata\.managedFields\./, because: "the apiserver's record of who wrote the rest" },
  {
    at: /labels\.(syncrator\/(job-id|job-uid|target|action)|(batch\.kubernetes\.io\/)?(job-name|controller-uid))$/,
    because: 'its owner: checked to be ours or a declared name',
  },
  { at: /matchLabels\.batch\.kubernetes\.io\/controller-uid$/, because: "the controller's own" },
  { at: /metadata\.annotations\.syncrator\/spec-hash$/, because: 'a hash over the parameters' },
  { at: /containers\.0\.args\.\d+$/, because: 'OPTIONS: compared with what was sent, one by one' },
  { at: /containers\.0\.image$/, because: 'IS_TAG: compared with what was sent' },
  { at: /containers\.0\.imagePullPolicy$/, because: 'chosen by Kubernetes: Always for the tag latest' },
  {
    at: /containers\.0\.env\.MAM_MAIN_QUERY$/,
    because: 'compared with what was sent, absent where nothing was',
  },
  {
    at: /containers\.0\.env\.SYNCRATOR_(TARGET|STEP_NAME|REPORT_URL|REPORT_TOKEN)$/,
    because: 'derived from the job: its target, name, number and token',
  },
  {
    at: /containers\.0\.env\.SYNCRATOR_(JOB_UID|ORIGIN_UID)$/,
    because: "the job's own: checked to be one, and that of its label",
  },
  { at: /containers\.0\.env\.TRACEPARENT$/, because: 'of the call that asked for it: checked to be valid' },
  { at: /containers\.0\.envFrom\.\d\.(configMapRef|secretRef)\.name$/, because: 'of the target' },
];
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LABEL = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

/**
 * @param of.innocents by action, the id of a job with ordinary parameters
 * @param of.others known jobs that are not compared
 */
export function checkManifests(
  writes: readonly Write[],
  started: readonly Started[],
  { innocents, others }: { innocents: ReadonlyMap<string, number>; others: readonly number[] },
): { violations: string[]; compared: number } {
  const byId = new Map<number, Stored>();
  for (const { key, object } of writes) {
    const stored = object as Stored | undefined;
    const id = Number(stored?.metadata.labels?.['syncrator/job-id']);
    if (stored && key.startsWith(JOBS) && !byId.has(id)) byId.set(id, stored); // the version that was created
  }
  const violations: string[] = [];
  const known = new Set([...innocents.values(), ...others, ...started.map(({ id }) => id)]);
  for (const [id, { metadata }] of byId)
    if (!known.has(id)) violations.push(`${metadata.name} belongs to job ${id}, which nobody started`);
  let compared = 0;
  for (const one of started) {
    const stored = byId.get(one.id);
    if (!stored) {
      violations.push(`job ${one.id} (${one.what}) has no Kubernetes Job`);
      continue;
    }
    const model = byId.get(innocents.get(one.action) ?? 0);
    if (!model)
      throw new Error(`there is no innocent job of action ${one.action} to compare ${one.what} with`);
    compared += 1;
    const fault = [...differences(model, stored), ...checkValues(stored, one)];
    violations.push(...fault.map((line) => `job ${one.id} (${one.what}): ${line}`));
  }
  return { violations, compared };
}

function differences(model: Stored, stored: Stored): string[] {
  const [a, b] = [new Map(leaves(model)), new Map(leaves(stored))];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((at) =>
    a.get(at) === b.get(at) || at.startsWith('status.') || DIFFERS.some((row) => row.at.test(at))
      ? []
      : [`${at} is ${b.get(at)}, not ${a.get(at)}`],
  );
}

function checkValues({ metadata, spec }: Stored, one: Started): string[] {
  const [container, ...more] = spec.template.spec.containers;
  if (!container || more.length > 0) return ['it has not one container'];
  const env = new Map(container.env.map(({ name, value = '' }) => [name, value]));
  const wanted = [
    one.action === 'diff' ? 'delta' : one.action, // the first step of a diff
    ...one.options.split(' ').filter((word) => word !== ''),
    '--api_job_id',
    String(one.id),
  ];
  const got = container.args.map((argument) => expanded(argument, env));
  const query = expanded(env.get('MAM_MAIN_QUERY') ?? '', env);
  return [
    ...(JSON.stringify(got) === JSON.stringify(wanted) ? [] : [`argv ${JSON.stringify(got)}`]),
    ...(container.image === `syncrator:${one.tag}` ? [] : [`image ${container.image}`]),
    ...(TRACEPARENT.test(env.get('TRACEPARENT') ?? '') ? [] : [`TRACEPARENT ${env.get('TRACEPARENT')}`]),
    ...(env.get('SYNCRATOR_JOB_UID') === metadata.labels?.['syncrator/job-uid'] ? [] : ["another job's uid"]),
    ...['SYNCRATOR_JOB_UID', 'SYNCRATOR_ORIGIN_UID'].flatMap((name) =>
      UUID.test(env.get(name) ?? '') ? [] : [`${name} ${env.get(name)}`],
    ),
    ...(query === one.query ? [] : [`MAM_MAIN_QUERY ${JSON.stringify(query)}`]),
    ...Object.entries(metadata.labels ?? {}).flatMap(([name, value]) =>
      LABEL.test(value) ? [] : [`label ${name}=${value}`],
    ),
  ];
}

/** Expands like the kubelet: `$$` is `$`, `$(NAME)` is the value of a variable, if there is one. */
function expanded(text: string, env: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (found, name?: string) =>
    name === undefined ? '$' : (env.get(name) ?? found),
  );
}

function* leaves(value: unknown, at = ''): Generator<[string, string]> {
  if (typeof value !== 'object' || value === null) {
    yield [at, JSON.stringify(value) ?? ''];
    return;
  }
  const list = Array.isArray(value) && at.endsWith('.env') ? value.map(byName) : Object.entries(value);
  if (list.length === 0) yield [at, '{}'];
  for (const [key, inner] of list) yield* leaves(inner, at === '' ? key : `${at}.${key}`);
}

function byName(variable: { name: string; value?: string }): [string, unknown] {
  return [variable.name, variable.value];
}
