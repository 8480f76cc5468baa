/**
 * Checks the action parameters of a request: what an action needs beside its target. PARAMETERS of a params file names one
 * of these sets; they are the operations of the microdata executors, with their field names.
 */
import { z } from 'zod';
import { type ActionParameters, DATASET_OPERATIONS, RELEASE_STATUSES } from '../domain/job.ts';

const line = (most: number) =>
  z.string('must be text').min(1, 'must not be empty').max(most, `must be at most ${most} characters`);
const releaseStatus = z.enum(RELEASE_STATUSES, `must be one of ${RELEASE_STATUSES.join(', ')}`);
const description = line(4096);

const bumpManifesto = z.strictObject({
  version: line(40),
  description: line(4096),
  releaseTime: z.int('must be a whole number'),
  languageCode: line(20),
  updateType: line(20).nullable(),
  dataStructureUpdates: z
    .array(
      z.strictObject({
        name: line(100),
        description: line(4096),
        operation: z.enum(DATASET_OPERATIONS, `must be one of ${DATASET_OPERATIONS.join(', ')}`),
        releaseStatus,
      }),
      'must be a list',
    )
    .max(1000, 'must be at most 1000 updates'),
});

/** All fields of all sets; a job shows those that its request gave. */
export const anyActionParameters = z
  .object({
    description,
    releaseStatus,
    bumpManifesto,
    bumpFromVersion: line(40),
    bumpToVersion: line(40),
  })
  .partial();

type Needs = {
  readonly schema: z.ZodType<ActionParameters>;
  /** The only target that may have it. */
  readonly onlyTarget?: string;
};

const describable: Needs = { schema: z.strictObject({ description: description.optional() }) };

const NEEDS = {
  ADD: describable,
  CHANGE: describable,
  PATCH_METADATA: describable,
  SET_STATUS: { schema: z.strictObject({ description: description.optional(), releaseStatus }) },
  DELETE_DRAFT: describable,
  REMOVE: { schema: z.strictObject({ description }) },
  ROLLBACK_REMOVE: describable,
  DELETE_ARCHIVE: describable,
  BUMP: {
    schema: z.strictObject({
      description,
      bumpManifesto,
      bumpFromVersion: line(40),
      bumpToVersion: line(40),
    }),
    onlyTarget: 'DATASTORE',
  },
} as const satisfies Record<string, Needs>;

export type ActionParametersName = keyof typeof NEEDS;
export const ACTION_PARAMETERS_NAMES = Object.keys(NEEDS) as readonly ActionParametersName[];

export function isActionParametersName(text: string): text is ActionParametersName {
  return Object.hasOwn(NEEDS, text);
}

export type Checked =
  | { readonly parameters: ActionParameters }
  | { readonly faults: readonly { readonly field: string; readonly message: string }[] };

/**
 * @param name PARAMETERS of the params file; null for an action that needs nothing beside its target
 * @param given the request's fields beside target and action
 */
export function checkActionParameters(
  name: ActionParametersName | null,
  target: string,
  given: Readonly<Record<string, unknown>>,
): Checked {
  const needs: Needs = name === null ? { schema: z.strictObject({}) } : NEEDS[name];
  const result = needs.schema.safeParse(given, { reportInput: true });
  const faults = result.success ? [] : result.error.issues.flatMap(faultsOf);
  if (needs.onlyTarget !== undefined && target !== needs.onlyTarget)
    faults.push({ field: 'target', message: `must be ${needs.onlyTarget} for ${name}` });
  return result.success && faults.length === 0 ? { parameters: result.data } : { faults };
}

function faultsOf(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'unknown field' }));
  const isMissing = issue.input === undefined;
  return [{ field: path.join('.'), message: isMissing ? 'is missing' : issue.message }];
}
