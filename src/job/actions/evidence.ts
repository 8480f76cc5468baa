/** Decides whether a listing counts as complete. Only a complete listing may remove the records that it lacks. */
import { IncompleteListingError } from '../job-error.ts';
import type { LiveState } from '../sinks/sink.ts';
import type { Evidence, RejectedRecord, Source } from '../sources/source.ts';

/**
 * Once a target's listing was proven complete, every later one must be. Otherwise a listing that is cut off every
 * night would only produce warnings.
 *
 * @throws IncompleteListingError
 */
export async function evidenceOf(
  source: Pick<Source, 'evidence'>,
  { rejected }: { rejected: readonly RejectedRecord[] },
  { proven }: Pick<LiveState, 'proven'>,
): Promise<Evidence> {
  const evidence = withoutHoles(await source.evidence(), rejected);
  if (!evidence.complete && proven) {
    throw new IncompleteListingError(
      `the last listing was proven complete, and this one is not: ${evidence.words}; nothing was changed`,
    );
  }
  return evidence;
}

/** Why a listing of changes may lack some; null: it is proven complete. */
export async function doubtOfChanges(
  source: Pick<Source, 'evidence'>,
  { rejected }: { rejected: readonly RejectedRecord[] },
): Promise<string | null> {
  const { complete, words } = withoutHoles(await source.evidence(), rejected);
  return complete ? null : words;
}

function withoutHoles(evidence: Evidence, rejected: readonly RejectedRecord[]): Evidence {
  const nameless = rejected.filter(({ id }) => id === null);
  const [first] = nameless;
  if (!first) return evidence;
  return {
    complete: false,
    words: `${nameless.length} lines have no readable id, the first at ${first.where}: ${first.why}`,
  };
}
