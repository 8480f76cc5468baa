/** A create that the apiserver refused: what no repetition changes ends the step, with the cluster's own words. Pure. */
import { cut, type Diagnosis } from '../../domain/outcome.ts';
import type { Launched } from '../runner.ts';
import { isTransient, KubernetesError } from './errors.ts';

/** @throws the error itself when the apiserver may be in trouble: no answer, overload */
export function refusedLaunch(error: unknown): Launched {
  if (!(error instanceof KubernetesError) || isTransient(error)) throw error;
  if (isQuota(error)) return { kind: 'waiting', reason: 'quota', detail: cut(error.message) };
  const meaning = MEANINGS[error.status];
  // A conflict is the caller's; anything else unknown may be an old or a new apiserver's: START_TIMEOUT ends it.
  if (!meaning) throw error;
  return { kind: 'refused', diagnosis: { ...meaning, detail: cut(error.message) } };
}

/** A quota on the number of Jobs: 403, and it passes (`exceeded quota: …`, and while it is not counted yet, `status unknown for quota: …`). */
function isQuota(error: KubernetesError): boolean {
  return error.status === 403 && /exceeded quota|status unknown for quota/.test(error.message);
}

const INVALID = {
  code: 'manifest_rejected',
  summary: 'The cluster does not accept the Job as it was made.',
  what_to_do: 'Correct what the detail names: IMAGE, CPU, MEMORY or POD_OVERRIDES in the params file.',
};

const MEANINGS: Readonly<Record<number, Omit<Diagnosis, 'detail'>>> = {
  400: INVALID,
  403: {
    code: 'forbidden',
    summary: 'The cluster does not allow the worker to create this Job.',
    what_to_do:
      "Give the worker's service account the Role of deploy/kubernetes/role.yaml in this namespace, or change what the admission policy objects to.",
  },
  404: {
    code: 'namespace_missing',
    summary: 'The namespace does not exist.',
    what_to_do: 'Create it, or set KUBERNETES_NAMESPACE to one that exists.',
  },
  422: INVALID,
};
