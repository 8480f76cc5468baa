/** Delivers a message once: signed by Standard Webhooks, with a deadline. Errors never contain the receiver's URL. */
import { createHmac } from 'node:crypto';
import { type Message, slackText } from './message.ts';
import type { Receiver } from './receivers.ts';

const DEADLINE_MS = 10_000;

/** The receiver rejected the message or did not answer. `final`: do not retry, it unsubscribed. */
export class NotDelivered extends Error {
  readonly final: boolean;
  constructor(message: string, options: { final: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.final = options.final;
  }
}

/**
 * @param id the same for every try of the same message to the same receiver
 * @param signal aborts before the deadline
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
      // A redirect could lead to a stranger.
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

/** An error code such as ECONNREFUSED; the message may contain the URL, which may be the secret. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : cause instanceof Error ? cause.name : 'unknown';
}
