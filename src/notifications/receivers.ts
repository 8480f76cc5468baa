/** Reads NOTIFICATIONS_FILE: receivers of notifications. URLs and secrets are sent only to their receiver, and never logged. */
import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { NOTICE_EVENTS, type NoticeEvent } from '../domain/notice.ts';

export type Receiver = {
  /** Names it in logs and in Temporal. */
  readonly name: string;
  readonly url: string;
  readonly format: 'generic' | 'slack';
  /** Signs messages; the bytes of `whsec_<base64>`. */
  readonly secret?: Buffer | undefined;
  readonly events: readonly NoticeEvent[];
  /** Undefined: all. */
  readonly envs?: readonly string[] | undefined;
  readonly targets?: readonly string[] | undefined;
};

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#secret-and-signing: 24 to 64 bytes. */
const secret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64')
  .transform((text) => Buffer.from(text.slice('whsec_'.length), 'base64'));
const names = z.array(z.string().min(1)).min(1).optional();

const receiver = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][-a-z0-9]{0,39}$/, 'must be a name of a-z, 0-9 and -'),
    url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }),
    format: z.enum(['generic', 'slack']).default('generic'),
    secret: secret.optional(),
    events: z.array(z.enum(NOTICE_EVENTS)).min(1).default(['failed', 'freshness_missed', 'losses_waiting']),
    envs: names,
    targets: names,
  })
  .refine(({ format, secret: key }) => format === 'slack' || key !== undefined, {
    path: ['secret'],
    message: 'is missing: openssl rand -base64 32, after whsec_',
  });

const file = z
  .strictObject({ receivers: z.array(receiver) })
  .refine(({ receivers }) => new Set(receivers.map(({ name }) => name)).size === receivers.length, {
    path: ['receivers'],
    message: 'two have the same name',
  });

/**
 * @param path undefined: there are no receivers
 * @throws Error naming file and field of every fault, never a value
 */
export async function loadReceivers(path: string | undefined): Promise<readonly Receiver[]> {
  if (path === undefined) return [];
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`NOTIFICATIONS_FILE ${path} cannot be read`, { cause });
  });
  const read = file.safeParse(yaml(text, path));
  if (read.success) return read.data.receivers;
  const faults = read.error.issues.map(({ path: at, message }) => `${at.join('.')} ${message}`);
  throw new Error(`NOTIFICATIONS_FILE ${path}: ${faults.join('; ')}`);
}

/** The receivers that subscribe to an event of a target. */
export function receiversOf(
  receivers: readonly Receiver[],
  of: { readonly event: NoticeEvent; readonly env: string; readonly target: string },
): readonly Receiver[] {
  return receivers.filter(
    ({ events, envs, targets }) =>
      events.includes(of.event) && (envs?.includes(of.env) ?? true) && (targets?.includes(of.target) ?? true),
  );
}

function yaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    // oxlint-disable-next-line preserve-caught-error -- it shows the line, which may hold a secret
    throw new Error(`NOTIFICATIONS_FILE ${path}: line ${error.linePos?.[0].line ?? '?'} is not YAML`);
  }
}
