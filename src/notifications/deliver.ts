/** One try to tell a receiver: signed as Standard Webhooks says, with a deadline, and no word of the address in a fault. */
import { createHmac } from 'node:crypto';
import { type Message, slackText } from './message.ts';
import type { Receiver } from './receivers.ts';

const DEADLINE_MS = 10_000;

/** The receiver said no or nothing; `final`: it wants no more of them. */
export class NotDelivered extends Error {
  readonly final: boolean;
  constructor(message: string, options: { final: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.final = options.final;
  }
}

/**
 * @param id the same for every try of the same message to the same receiver
 * @param signal gives it up before its deadline
 * @throws NotDelivered
 */
export async function deliver(
  receiver: Receiver,
  id: string,
  message: Message,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify(receiver.format === 'slack' ? slackText(message) : message);
  let status: number;
  try {
    const answer = await fetch(receiver.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signed(receiver, id, body) },
      body,
      // Elsewhere may be anybody.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    status = answer.status;
    await answer.body?.cancel();
  } catch (error) {
    throw new NotDelivered(`${receiver.name} cannot be reached: ${reasonOf(error)}`, { final: false });
  }
  if (status >= 200 && status < 300) return;
  // 410: "the sender should disable the endpoint".
  throw new NotDelivered(`${receiver.name} answered ${status}`, { final: status === 410 });
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#webhook-headers */
function signed({ secret }: Receiver, id: string, body: string): Record<string, string> {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(Date.now() / 1000));
  const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}

/** A code such as ECONNREFUSED: the words may hold the address, which may be the secret. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : cause instanceof Error ? cause.name : 'unknown';
}
