/**
 * Adds our search attributes if a fresh or wiped Temporal lacks them. If the namespace is full or forbids it, the
 * Web UI lacks filters, but all jobs run.
 */
import { isGrpcServiceError } from '@temporalio/client';
import { SEARCH_ATTRIBUTES, type SearchAttribute } from '../domain/workflow.ts';
import type { Log } from '../log.ts';
import { type Temporal, within } from './connect.ts';

// temporal.api.enums.v1.IndexedValueType; the package with these names is CommonJS without named exports.
const TYPES = { KEYWORD: 2, INT: 3 } as const;
/** Names that the temporal CLI uses, by number. */
const TYPE_NAMES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];
const NAMES = Object.keys(SEARCH_ATTRIBUTES) as SearchAttribute[];

/** gRPC status codes: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED. */
const [INVALID, NOT_FOUND, DENIED] = [3, 5, 7];

export type Searchable = {
  /** The attributes that a workflow may set: an unknown one would block the workflow. */
  readonly usable: ReadonlySet<SearchAttribute>;
  /** Why others are missing, and how to add them. */
  readonly trouble: string | undefined;
  /** The result of the last attempt to add missing ones. */
  readonly tried?: Tried | undefined;
};

type Tried = { readonly missing: string; readonly refused: Refused | undefined; readonly at: number };

/** Pause before a refused request is repeated: each worker checks every 10 s, and a request may start a system workflow. */
const ASK_AGAIN_MS = 10 * 60_000;

/** The search attributes of the namespace; logs each change for the worse, and the recovery. */
export type SearchAttributes = {
  /** @throws TemporalUnavailable, or an Error with the reason, when they cannot be read */
  ensure(): Promise<void>;
  usable(): ReadonlySet<SearchAttribute>;
};

export function createSearchAttributes(temporal: Temporal, log: Log): SearchAttributes {
  let last: Searchable = { usable: new Set(), trouble: undefined };
  return {
    async ensure() {
      const before = last.trouble;
      last = await ensureSearchAttributes(temporal, last.tried);
      if (last.trouble !== undefined && last.trouble !== before) log.warn(last.trouble);
      if (last.trouble === undefined && before !== undefined)
        log.info('Temporal: all search attributes exist now');
    },
    usable: () => last.usable,
  };
}

/**
 * Adds missing search attributes; does nothing when all exist.
 * @param before the result of the last attempt; the same request is not repeated at once
 */
export async function ensureSearchAttributes(temporal: Temporal, before?: Tried): Promise<Searchable> {
  const there = await list(temporal);
  if (!there)
    return without(
      temporal,
      [],
      `this account may not list the search attributes of the namespace`,
      undefined,
    );
  const wrong = NAMES.filter((name) => name in there && there[name] !== TYPES[SEARCH_ATTRIBUTES[name]]);
  const missing = NAMES.filter((name) => !(name in there));
  const tried = wasRefused(before, missing)
    ? before
    : { missing: missing.join(), refused: await addWhatFits(temporal, missing), at: Date.now() };
  const { refused } = tried;
  const usable = NAMES.filter((name) => !wrong.includes(name) && !refused?.names.includes(name));
  if (refused) return { ...without(temporal, usable, refused.words, refused.code), tried };
  const [first] = wrong;
  if (first === undefined) return { usable: new Set(usable), trouble: undefined };
  const is = TYPE_NAMES[there[first] ?? 0] ?? 'of another type';
  return without(temporal, usable, `${first} has the type ${is} there instead of ${typeOf(first)}`, INVALID);
}

/** True when all missing ones were refused lately; an attribute added since would be in the list. */
function wasRefused(before: Tried | undefined, missing: readonly SearchAttribute[]): before is Tried {
  if (before?.missing !== missing.join() || before.refused?.names.length !== missing.length) return false;
  return Date.now() - before.at < ASK_AGAIN_MS;
}

/** Undefined when the account may not list them. @throws Error when the namespace does not exist */
async function list(temporal: Temporal): Promise<Readonly<Record<string, number>> | undefined> {
  const { connection, namespace } = temporal;
  try {
    const answer = await within(5_000, connection, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    return answer.customAttributes;
  } catch (error) {
    if (codeOf(error) === DENIED) return undefined;
    if (codeOf(error) !== NOT_FOUND) throw error;
    throw new Error(
      `Temporal has no namespace ${namespace}: set TEMPORAL_NAMESPACE to an existing one, or create it: ${createNamespace(namespace)}`,
      { cause: error },
    );
  }
}

type Refused = { readonly names: readonly SearchAttribute[]; readonly words: string; readonly code: number };

/** Adds all at once; if the namespace has no space for all, as many as fit. */
async function addWhatFits(
  temporal: Temporal,
  missing: readonly SearchAttribute[],
): Promise<Refused | undefined> {
  if (missing.length === 0) return undefined;
  const refused = await add(temporal, missing);
  if (refused?.code !== INVALID) return refused;
  const one = async (name: SearchAttribute) => await add(temporal, [name]);
  const each: (Refused | undefined)[] = [];
  for (const name of missing) each.push(await one(name));
  const names = each.flatMap((of) => of?.names ?? []);
  return names.length === 0 ? undefined : { ...refused, names };
}

/** @throws the client's error when Temporal is unreachable */
async function add(temporal: Temporal, names: readonly SearchAttribute[]): Promise<Refused | undefined> {
  const { connection, namespace } = temporal;
  try {
    await within(10_000, connection, () =>
      connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(names.map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name]]])),
      }),
    );
    return undefined;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    if (/already exists/i.test(words)) return undefined; // another worker was first
    const code = codeOf(error);
    if (code !== INVALID && code !== DENIED) throw error;
    return { names, words, code };
  }
}

function without(
  { namespace }: Temporal,
  usable: readonly SearchAttribute[],
  reason: string,
  code: number | undefined,
): Searchable {
  const names = NAMES.filter((name) => !usable.includes(name));
  const flags = names.map((name) => `--name ${name} --type ${typeOf(name)}`).join(' ');
  const fix =
    code === INVALID
      ? `Give Syncrator its own namespace: ${createNamespace('syncrator')}, and TEMPORAL_NAMESPACE=syncrator`
      : `Ask an account with that permission to run: temporal operator search-attribute create --namespace ${namespace} ${flags}`;
  const trouble = `Temporal: jobs run without the search attributes ${names.join(', ')} in the namespace ${namespace}, so its Web UI cannot filter by them: ${reason}. ${fix}`;
  return { usable: new Set(usable), trouble };
}

const typeOf = (name: SearchAttribute) => (SEARCH_ATTRIBUTES[name] === 'INT' ? 'Int' : 'Keyword');

const createNamespace = (name: string) =>
  `temporal operator namespace create --namespace ${name} --retention 3d`;

function codeOf(error: unknown): number | undefined {
  return isGrpcServiceError(error) ? error.code : undefined;
}
