/** Registers our search attributes, which a fresh or wiped Temporal lacks. */
import { SEARCH_ATTRIBUTES } from '../domain/workflow.ts';
import { type Temporal, within } from './connect.ts';

// temporal.api.enums.v1.IndexedValueType; the package that has the names is CommonJS without named exports.
const TYPES = { KEYWORD: 2, INT: 3 } as const;

/**
 * Adds what is missing; nothing happens when all are there.
 * @throws TemporalAway, or an Error with the exact command when we may not add them
 */
export async function ensureSearchAttributes(temporal: Temporal): Promise<void> {
  const { connection, namespace } = temporal;
  const { customAttributes } = await within(5_000, connection, () =>
    connection.operatorService.listSearchAttributes({ namespace }),
  );
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return;
  await within(10_000, connection, () =>
    connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, TYPES[type]])),
    }),
  ).catch((cause: unknown) => {
    if (cause instanceof Error && /already exists/i.test(cause.message)) return; // another worker was first
    const flags = missing
      .map(([name, type]) => `--name ${name} --type ${type === 'INT' ? 'Int' : 'Keyword'}`)
      .join(' ');
    throw new Error(
      `Temporal: search attributes are missing; run: temporal operator search-attribute create --namespace ${namespace} ${flags}`,
      { cause },
    );
  });
}
