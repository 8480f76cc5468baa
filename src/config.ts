/** The only reader of `process.env` outside the sync program: every setting of api and worker, checked once. */
import path from 'node:path';
import { z } from 'zod';
import type { Retention } from './domain/age.ts';
import { type Grant, ROLES, unlimited } from './domain/grant.ts';
import type { PodOverrides } from './domain/job.ts';
import { type OidcRole, parseOidcRoles } from './oidc-roles.ts';
import { parsePodOverrides } from './pod-overrides.ts';
import { withSecretFiles } from './secret-files.ts';
import { age, flag, names, parsedBy, port, size, targetAndEnv, trustedUrl } from './setting-forms.ts';
import { readTemporalSecurity, type TemporalSecurity, temporalSecurityFaults } from './temporal-security.ts';

const variables = z.object({
  PORT: port.default(8080),
  HOST: z.string().default('127.0.0.1'),
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: 'must be postgres://user:password@host:port/database',
  }),
  TEMPORAL_ADDRESS: z.string().regex(/^[^\s:]+:\d+$/, 'must be host:port'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_CA_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_CERT_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_KEY_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  RUNNER: z.enum(['process', 'kubernetes']).default('process'),
  KUBERNETES_CONTEXT: z.string().min(1).optional(),
  KUBERNETES_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is not the name of a namespace')
    .optional(),
  SYNCRATOR_IMAGE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._:/-]*$/, 'is not the name of an image')
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
  OIDC_ISSUER: trustedUrl.optional(),
  OIDC_AUDIENCE: z.string().min(1).optional(),
  JWKS_URL: trustedUrl.optional(),
  OIDC_ROLE_CLAIM: z.string().transform(names).optional(),
  OIDC_ROLES: z.string().transform(parsedBy(parseOidcRoles)).optional(),
  OIDC_DEFAULT_ROLE: z.enum([...ROLES, 'none']).optional(),
  LOCAL_LOGIN: flag.prefault('true'),
  INPUT_DIR: z.string().min(1).optional(),
  ITEM_BANK: targetAndEnv.optional(),
  GITLAB_HOOK_SECRET: z.string().min(16, 'needs at least 16 characters').optional(),
  ACCOUNT: targetAndEnv.optional(),
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

const OF_ISSUER = [
  'OIDC_AUDIENCE',
  'JWKS_URL',
  'OIDC_ROLE_CLAIM',
  'OIDC_ROLES',
  'OIDC_DEFAULT_ROLE',
] as const;

const schema = variables.check(({ value, issues }) => {
  const fault = (name: keyof typeof value, message: string) =>
    issues.push({ code: 'custom', input: undefined, path: [name], message });
  for (const [name, message] of temporalSecurityFaults(value)) fault(name, message);
  if (value.OIDC_ISSUER === undefined) {
    for (const name of OF_ISSUER) if (value[name] !== undefined) fault(name, 'needs OIDC_ISSUER');
    if (!value.LOCAL_LOGIN) fault('LOCAL_LOGIN', 'is false, which needs OIDC_ISSUER: nobody could log in');
  } else if (value.OIDC_AUDIENCE === undefined) fault('OIDC_AUDIENCE', 'is not set, which OIDC_ISSUER needs');
});

export type OidcSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** The issuer's own discovery names it otherwise. */
  readonly jwksUrl: string | undefined;
  /** Of its tokens; the first that one has says the role. */
  readonly roleClaims: readonly string[];
  /** The first that a token's claim fits counts. */
  readonly roles: readonly OidcRole[];
  /** Of a token whose claim fits none; undefined refuses it. */
  readonly otherwise: Grant | undefined;
};

/** `name` is the path's look-up key, not always the TARGET that the file says. */
export type DeclaredName = { readonly name: string; readonly env: string };

export type Config = {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string;
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly uiUrl: string | undefined;
    readonly security: TemporalSecurity;
  };
  readonly runner: 'process' | 'kubernetes';
  readonly kubernetes: {
    /** Of the kubeconfig; its current one by default. */
    readonly context: string | undefined;
    /** The context's own by default. */
    readonly namespace: string | undefined;
    /** Added to every pod; the params file's own win. */
    readonly podOverrides: PodOverrides;
  };
  /** Of our program, without a tag. */
  readonly image: string;
  readonly dataDir: string;
  readonly jobParamsDir: string;
  /** The newest first: it signs; every one verifies. */
  readonly secrets: readonly string[];
  readonly adminPassword: string | undefined;
  /** The api's address as a running step reaches it; without a trailing slash. */
  readonly reportBaseUrl: string;
  /** Who is told of what happens; none without it. */
  readonly notificationsFile: string | undefined;
  /** Of the web page as people reach it, for links; without a slash at its end. */
  readonly publicUrl: string | undefined;
  /** Where GET /metrics is served; without it nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Where the worker's Temporal SDK serves its own, as host:port. */
  readonly temporalMetrics: string | undefined;
  /** The worker touches it every 10 s. */
  readonly healthFile: string | undefined;
  /** File that src/workflow-bundle.ts wrote; without it the worker bundles by itself, and keeps the memory it took. */
  readonly workflowBundle: string | undefined;
  readonly publicReads: boolean;
  /** Whose tokens count beside our own. */
  readonly oidc: OidcSettings | undefined;
  /** Whether POST /login gives tokens. */
  readonly localLogin: boolean;
  /** Of the tar files of importable datasets. */
  readonly inputDir: string | undefined;
  /** Whose jobs POST /sync, POST /sync/:item and the hook start; declared, or the start fails. */
  readonly itemBank: DeclaredName | undefined;
  /** What GitLab sends with each hook, to be believed. */
  readonly gitlabHookSecret: string | undefined;
  /** Whose jobs the account's routes start; declared, or the start fails. */
  readonly account: DeclaredName | undefined;
  /** Bytes of text that are kept of a step's log, half of its beginning and half of its end. */
  readonly logLimit: number;
  readonly keep: Retention;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
};

/**
 * Reads the settings.
 * @throws Error naming every wrong variable in one message, never its value.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
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
    reportBaseUrl: (e.SYNCRATOR_REPORT_BASE_URL ?? `http://127.0.0.1:${e.PORT}`).replace(/\/+$/, ''),
    notificationsFile: e.NOTIFICATIONS_FILE,
    publicUrl: e.SYNCRATOR_PUBLIC_URL?.replace(/\/+$/, ''),
    metrics: e.METRICS_PORT === undefined ? undefined : { host: e.METRICS_HOST, port: e.METRICS_PORT },
    temporalMetrics:
      e.TEMPORAL_METRICS_PORT === undefined ? undefined : `${e.METRICS_HOST}:${e.TEMPORAL_METRICS_PORT}`,
    healthFile: e.HEALTH_FILE,
    workflowBundle: e.WORKFLOW_BUNDLE,
    publicReads: e.PUBLIC_READS,
    oidc:
      e.OIDC_ISSUER === undefined || e.OIDC_AUDIENCE === undefined
        ? undefined
        : {
            issuer: e.OIDC_ISSUER,
            audience: e.OIDC_AUDIENCE,
            jwksUrl: e.JWKS_URL,
            roleClaims: e.OIDC_ROLE_CLAIM ?? ['accreditation/role', 'role'],
            roles: e.OIDC_ROLES ?? [],
            otherwise:
              e.OIDC_DEFAULT_ROLE === 'none' ? undefined : unlimited(e.OIDC_DEFAULT_ROLE ?? 'viewer'),
          },
    localLogin: e.LOCAL_LOGIN,
    inputDir: e.INPUT_DIR === undefined ? undefined : path.resolve(e.INPUT_DIR),
    itemBank: e.ITEM_BANK,
    gitlabHookSecret: e.GITLAB_HOOK_SECRET,
    account: e.ACCOUNT,
    logLimit: e.LOG_LIMIT,
    keep: { logsSeconds: e.KEEP_LOGS, jobsSeconds: e.KEEP_JOBS },
    logLevel: e.LOG_LEVEL,
  };
}

/**
 * For commands that need Postgres alone; without a DATABASE_URL it is the one that `npm start` has in the data folder.
 * @throws Error naming the variable, never its value
 */
export function readDatabaseConfig(env: NodeJS.ProcessEnv = process.env) {
  const e = parse(
    variables.pick({ DATABASE_URL: true, SYNCRATOR_DATA: true }).partial({ DATABASE_URL: true }),
    env,
  );
  return { databaseUrl: e.DATABASE_URL, dataDir: path.resolve(e.SYNCRATOR_DATA) };
}

/** For commands that need the params files alone. */
export function readJobParamsDir(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(parse(variables.pick({ JOB_PARAMS: true }), env).JOB_PARAMS);
}

function parse<T extends z.ZodType>(settings: T, environment: NodeJS.ProcessEnv): z.output<T> {
  const env = withSecretFiles(environment);
  const parsed = settings.safeParse(env);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path[0]?.toString() ?? '';
    return env[name] === undefined && issue.code === 'invalid_type'
      ? `${name} ${issue.message.startsWith('is not set') ? issue.message : 'is not set'}`
      : `${name} ${issue.message}`;
  });
  throw new Error(`configuration: ${faults.join('; ')}`);
}
