/** Reads and checks every setting of api and worker, once; no other file outside the sync program reads `process.env`. */
import path from 'node:path';
import { z } from 'zod';
import { ROLES } from '../domain/permission.ts';
import { hostPort, reachedAt } from '../domain/host-port.ts';
import { parseOidcRoles } from './oidc-roles.ts';
import { oidcFaults, readOidcSettings } from './oidc-settings.ts';
import { parsePodOverrides } from './pod-overrides.ts';
import { withSecretFiles } from './secret-files.ts';
import {
  age,
  flag,
  hostName,
  names,
  parsedBy,
  port,
  seconds,
  size,
  targetAndEnv,
  trustedUrl,
} from './config-schemas.ts';
import { parseProxies } from './trusted-proxies.ts';
import { parseSourceLimits } from '../domain/source-limit.ts';
import { readTemporalSecurity, temporalSecurityFaults } from './temporal-tls.ts';

const DATABASE_URL_FORM = 'must be postgres://user:password@host:port/database';

/** Every setting with its form and default; setting-descriptions.ts describes each, and `npm run docs` prints both. */
export const settings = z.object({
  PORT: port.default(8080),
  HOST: z.string().default('127.0.0.1'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: DATABASE_URL_FORM })
    // Without a database name the driver would use the user's name.
    .refine((text) => !URL.canParse(text) || new URL(text).pathname.length > 1, DATABASE_URL_FORM),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+):\d+$/, 'must be host:port, or [address]:port for IPv6'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_CA_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_CERT_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_KEY_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  RUNNER: z.enum(['process', 'kubernetes']).default('process'),
  PROGRAM_USER: z.enum(['own', 'worker']).default('own'),
  KUBERNETES_CONTEXT: z.string().min(1).optional(),
  KUBERNETES_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is not a valid namespace')
    .optional(),
  SYNCRATOR_IMAGE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._:/-]*$/, 'is not a valid image name')
    .refine((name) => !/:[^/]*$/.test(name), 'must have no tag: IS_TAG gives it')
    .default('syncrator'),
  KUBERNETES_POD_OVERRIDES: z.string().default('{}').transform(parsedBy(parsePodOverrides)),
  SYNCRATOR_DATA: z.string().default('.data'),
  JOB_PARAMS: z.string().default('job_params'),
  SYNCRATOR_SECRET: z
    .string('is not set; give 32 random bytes, for example `openssl rand -base64 32`')
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .pipe(
      z
        .array(z.string().min(32, 'needs at least 32 characters'))
        .min(1)
        .max(2, 'allows two values: the new one, then the old one'),
    ),
  SYNCRATOR_ADMIN_PASSWORD: z.string().min(8, 'needs at least 8 characters').optional(),
  SYNCRATOR_REPORT_BASE_URL: z.url().optional(),
  NOTIFICATIONS_FILE: z.string().min(1).optional(),
  SYNCRATOR_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  METRICS_PORT: port.optional(),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  TEMPORAL_METRICS_PORT: port.optional(),
  HEALTH_FILE: z.string().min(1).optional(),
  WORKFLOW_BUNDLE: z.string().min(1).optional(),
  PUBLIC_READS: flag.prefault('false'),
  ALLOWED_HOSTS: z.string().transform(names).pipe(z.array(hostName).min(1, 'names no host')).optional(),
  KEEP_ALIVE_SECONDS: seconds(5, 3_600).default(65),
  OIDC_ISSUER: trustedUrl.optional(),
  OIDC_AUDIENCE: z.string().min(1).optional(),
  JWKS_URL: trustedUrl.optional(),
  OIDC_ROLE_CLAIM: z.string().transform(names).optional(),
  OIDC_ROLES: z.string().transform(parsedBy(parseOidcRoles)).optional(),
  OIDC_DEFAULT_ROLE: z.enum([...ROLES, 'none']).optional(),
  OIDC_MAX_AGE: age.optional(),
  OIDC_TYP: z.string().min(1).optional(),
  LOCAL_LOGIN: flag.prefault('true'),
  TRUSTED_PROXIES: z.string().default('').transform(parsedBy(parseProxies)),
  INPUT_DIR: z.string().min(1).optional(),
  ITEM_BANK: targetAndEnv.optional(),
  GITLAB_HOOK_SECRET: z.string().min(16, 'needs at least 16 characters').optional(),
  ACCOUNT: targetAndEnv.optional(),
  SOURCE_LIMIT: z.string().default('').transform(parsedBy(parseSourceLimits)),
  LOG_LIMIT: size.prefault('16MiB').pipe(
    z
      .number()
      .min(64 * 1024, 'must be at least 64KiB')
      .max(1024 ** 3, 'must be at most 1GiB'),
  ),
  KEEP_LOGS: age.prefault('90d'),
  KEEP_JOBS: age.prefault('off'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

const schema = settings.check(({ value, issues }) => {
  const fault = (name: keyof typeof value, message: string) =>
    issues.push({ code: 'custom', input: undefined, path: [name], message });
  for (const [name, message] of temporalSecurityFaults(value)) fault(name, message);
  for (const [name, message] of oidcFaults(value)) fault(name, message);
});

export type MetricsSettings = {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[] | undefined;
  readonly keepAliveSeconds: number;
};

export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the settings.
 * @throws Error naming every wrong variable in one message, never its value.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env) {
  const e = parse(schema, env);
  return {
    port: e.PORT,
    host: e.HOST,
    databaseUrl: e.DATABASE_URL,
    temporal: {
      address: e.TEMPORAL_ADDRESS,
      namespace: e.TEMPORAL_NAMESPACE,
      uiUrl: e.TEMPORAL_UI_URL,
      security: readTemporalSecurity(e),
    },
    runner: e.RUNNER,
    programUser: e.PROGRAM_USER,
    kubernetes: {
      context: e.KUBERNETES_CONTEXT,
      namespace: e.KUBERNETES_NAMESPACE,
      podOverrides: e.KUBERNETES_POD_OVERRIDES,
    },
    image: e.SYNCRATOR_IMAGE,
    dataDir: path.resolve(e.SYNCRATOR_DATA),
    jobParamsDir: path.resolve(e.JOB_PARAMS),
    secrets: e.SYNCRATOR_SECRET,
    adminPassword: e.SYNCRATOR_ADMIN_PASSWORD,
    reportBaseUrl: (e.SYNCRATOR_REPORT_BASE_URL ?? `http://${hostPort(reachedAt(e.HOST), e.PORT)}`).replace(
      /\/+$/,
      '',
    ),
    notificationsFile: e.NOTIFICATIONS_FILE,
    publicUrl: e.SYNCRATOR_PUBLIC_URL?.replace(/\/+$/, ''),
    metrics:
      e.METRICS_PORT === undefined
        ? undefined
        : {
            host: e.METRICS_HOST,
            port: e.METRICS_PORT,
            allowedHosts: e.ALLOWED_HOSTS,
            keepAliveSeconds: e.KEEP_ALIVE_SECONDS,
          },
    temporalMetrics:
      e.TEMPORAL_METRICS_PORT === undefined ? undefined : hostPort(e.METRICS_HOST, e.TEMPORAL_METRICS_PORT),
    healthFile: e.HEALTH_FILE,
    workflowBundle: e.WORKFLOW_BUNDLE,
    publicReads: e.PUBLIC_READS,
    allowedHosts: e.ALLOWED_HOSTS,
    keepAliveSeconds: e.KEEP_ALIVE_SECONDS,
    oidc: readOidcSettings(e),
    localLogin: e.LOCAL_LOGIN,
    trustedProxies: e.TRUSTED_PROXIES,
    inputDir: e.INPUT_DIR === undefined ? undefined : path.resolve(e.INPUT_DIR),
    itemBank: e.ITEM_BANK,
    gitlabHookSecret: e.GITLAB_HOOK_SECRET,
    account: e.ACCOUNT,
    sourceLimits: e.SOURCE_LIMIT,
    logLimit: e.LOG_LIMIT,
    keep: { logsSeconds: e.KEEP_LOGS, jobsSeconds: e.KEEP_JOBS },
    logLevel: e.LOG_LEVEL,
  };
}

/**
 * The settings of commands that need only Postgres; without DATABASE_URL they use the Postgres of `npm start` in
 * the data folder.
 * @throws Error that names the variable, never its value
 */
export function readDatabaseConfig(env: NodeJS.ProcessEnv = process.env) {
  const e = parse(
    settings.pick({ DATABASE_URL: true, SYNCRATOR_DATA: true }).partial({ DATABASE_URL: true }),
    env,
  );
  return { databaseUrl: e.DATABASE_URL, dataDir: path.resolve(e.SYNCRATOR_DATA) };
}

/** The settings of commands that need only the params files. */
export function readJobParamsDir(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(parse(settings.pick({ JOB_PARAMS: true }), env).JOB_PARAMS);
}

/** The settings of commands that need the params files and the settings of targets (RUNNER=process). */
export function readTargetPlaces(env: NodeJS.ProcessEnv = process.env): {
  jobParamsDir: string;
  dataDir: string;
} {
  const e = parse(settings.pick({ JOB_PARAMS: true, SYNCRATOR_DATA: true }), env);
  return { jobParamsDir: path.resolve(e.JOB_PARAMS), dataDir: path.resolve(e.SYNCRATOR_DATA) };
}

function parse<T extends z.ZodType>(form: T, environment: NodeJS.ProcessEnv): z.output<T> {
  const env = withSecretFiles(environment);
  const parsed = form.safeParse(env);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path[0]?.toString() ?? '';
    return env[name] === undefined && issue.code === 'invalid_type'
      ? `${name} ${issue.message.startsWith('is not set') ? issue.message : 'is not set'}`
      : `${name} ${issue.message}`;
  });
  throw new Error(`configuration: ${faults.join('; ')}`);
}
