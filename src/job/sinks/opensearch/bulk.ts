/**
 * Writes and deletes documents in bulk. Each document is refused or done on its own: busy ones are sent again with a
 * back-off, refused ones are named, and any other error ends the run.
 */
import { z } from 'zod';
import { HttpFault } from '../../http/http-fault.ts';
import { OPENSEARCH } from './client.ts';
import { ServerRefusal, unreachable } from '../../http/json-client.ts';
import { createOutage } from '../../http/outage.ts';
import { JobError } from '../../job-error.ts';
import type { RejectedRecord } from '../../sources/source.ts';
import { fenced } from '../generations/fence.ts';
import type { OpenSearch } from './alias.ts';
import { type ItemError, reasonIn } from './refusals.ts';
import { writeAlias } from './write-alias.ts';

/** A document of the request: its id and its lines. */
export type Operation = { readonly id: string; readonly lines: string };

export type Target = {
  readonly index: string;
  /** Of the run that writes. */
  readonly epoch: number;
};

/**
 * A run overwrites documents of its own and of older runs; those of a newer one refuse it. (The alias of the run keeps an
 * older run out before that; the version decides what was on its way already.)
 */
export function write(
  id: string,
  document: object,
  target: Target,
  more: { pipeline?: '_none' } = {},
): Operation {
  const action = { index: { _id: id, version: target.epoch, version_type: 'external_gte', ...more } };
  return { id, lines: `${JSON.stringify(action)}\n${JSON.stringify(document)}\n` };
}

/** Without a version: with an external one, the servers would create a missing index. */
export function removalOf(id: string): Operation {
  return { id, lines: `${JSON.stringify({ delete: { _id: id } })}\n` };
}

/** Visible after the next refresh. Safe to repeat. @returns the refused documents @throws JobError */
export async function sendBulk(
  sink: OpenSearch,
  target: Target,
  operations: readonly Operation[],
): Promise<RejectedRecord[]> {
  const { patience } = sink;
  const toError = (fault: HttpFault, more: string): JobError => unreachable(OPENSEARCH, fault, more);
  const outage = createOutage({ ...patience, server: 'the sink', toError });
  const rejected: RejectedRecord[] = [];
  for (let left = operations; left.length > 0; ) {
    const { busy, refused, why } = await sendOnce(sink, target, left);
    rejected.push(...refused);
    if (busy.length < left.length) outage.over();
    if (busy.length === 0) break;
    const words = `OpenSearch _bulk: has no room for ${busy.length} of ${left.length} documents: ${why}`;
    await outage.failed(new HttpFault('rate_limited', words));
    left = busy;
  }
  return rejected;
}

type Outcome = {
  readonly busy: readonly Operation[];
  readonly refused: readonly RejectedRecord[];
  /** Why the first of the busy ones waits. */
  readonly why: string;
};

/** How long the server waits for an absent shard: well below our deadline, so that it answers 503 for the document. */
const SHARD_WAIT = '10s';

const reason = z.string().nullable().default('');
const itemError = z.object({
  type: z.string(),
  reason,
  caused_by: z.object({ reason }).optional(),
});
const item = z.object({ status: z.number(), error: itemError.optional() });
const answered = z.object({
  errors: z.boolean(),
  items: z.array(z.record(z.string(), item)),
});

async function sendOnce(
  sink: OpenSearch,
  target: Target,
  operations: readonly Operation[],
): Promise<Outcome> {
  const { client } = sink;
  try {
    const { errors, items } = await client({
      path: `${writeAlias(target.index, target.epoch)}/_bulk`,
      query: {
        require_alias: 'true',
        timeout: SHARD_WAIT,
        filter_path: 'errors,items.*.status,items.*.error',
      },
      contentType: 'application/x-ndjson',
      body: operations.map(({ lines }) => lines).join(''),
      schema: answered,
    });
    if (items.length !== operations.length)
      throw new JobError(
        'failed',
        `sink: _bulk answered for ${items.length} of ${operations.length} documents`,
      );
    if (!errors) return { busy: [], refused: [], why: '' };
    return await sorted(
      sink,
      target,
      operations,
      items.map((one) => Object.values(one)[0]),
    );
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    if (error.status === 404) throw await withoutAlias(sink, target);
    if (error.status !== 413) throw error;
  }
  return await sendHalves(sink, target, operations);
}

/** The request is too large for the server or a proxy before it. */
async function sendHalves(
  sink: OpenSearch,
  target: Target,
  operations: readonly Operation[],
): Promise<Outcome> {
  const [only] = operations;
  if (only && operations.length === 1) {
    const why = 'it is larger than the server, or a proxy before it, takes in one request';
    return { busy: [], refused: [{ where: WHERE, id: only.id, why }], why: '' };
  }
  const half = Math.ceil(operations.length / 2);
  const one = await sendOnce(sink, target, operations.slice(0, half));
  const other = await sendOnce(sink, target, operations.slice(half));
  return {
    busy: [...one.busy, ...other.busy],
    refused: [...one.refused, ...other.refused],
    why: one.why || other.why,
  };
}

const WHERE = 'OpenSearch';
/** Too many requests; a shard that is moving or starting. */
const BUSY: readonly number[] = [429, 503];
/** Answered with 400, yet no fault of the document. */
const CLOSED = 'index_closed_exception';

async function sorted(
  sink: OpenSearch,
  target: Target,
  operations: readonly Operation[],
  items: readonly (z.infer<typeof item> | undefined)[],
): Promise<Outcome> {
  const busy: Operation[] = [];
  const refused: RejectedRecord[] = [];
  let why = '';
  for (const [nth, operation] of operations.entries()) {
    const { status = 0, error } = items[nth] ?? {};
    if (!error) continue;
    const known: ItemError = { type: error.type, reason: [error.reason, error.caused_by?.reason].join(' ') };
    if (BUSY.includes(status)) {
      busy.push(operation);
      why ||= `${status} ${known.type}`;
    } else if ((status === 400 && error.type !== CLOSED) || status === 413) {
      refused.push({ where: WHERE, id: operation.id, why: reasonIn(known) });
    } else throw await ending(sink, target, status, known);
  }
  return { busy, refused, why };
}

/** The error of a document that ends the run. */
async function ending(
  sink: OpenSearch,
  target: Target,
  status: number,
  { type, reason }: ItemError,
): Promise<JobError> {
  if (status === 409) return fenced(sink.alias, 'a newer run has written the same documents');
  if (status === 404) return await withoutAlias(sink, target);
  if (type === CLOSED)
    return new JobError(
      'failed',
      `sink: the index ${target.index} was closed; open it (_open), then run the job again`,
    );
  if (status === 403 && type === 'cluster_block_exception')
    return new JobError('sinkReadOnly', `sink: ${target.index} takes no writes: ${reason.slice(0, 300)}`);
  if (status === 403) {
    const rights = `the user of SINK_URL needs the rights to ${OPENSEARCH.rights}`;
    return new JobError('sinkPermission', `sink: OpenSearch _bulk answered 403 ${type}; ${rights}`);
  }
  return new JobError('failed', `sink: OpenSearch _bulk answered ${status} ${type} for a document`);
}

/** A newer run took our alias away, or somebody removed the index. */
async function withoutAlias({ store, alias }: OpenSearch, { index }: Target): Promise<JobError> {
  await store.read();
  return fenced(alias, `the index ${index} was removed, or our alias of it`);
}
