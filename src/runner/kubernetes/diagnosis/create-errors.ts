/** Converts errors of creating a Job: those that a retry cannot change end the step, quoting the cluster. Pure. */
import { cut, type Diagnosis } from '../../../domain/outcome.ts';
import type { Launched } from '../../runner.ts';
import { isTransient, KubernetesError } from '../apiserver/errors.ts';

/** @throws the error itself when a retry may help: no answer, overload, an unexpected status */
export function explainCreateError(error: unknown): Launched {
  if (!(error instanceof KubernetesError) || isTransient(error)) throw error;
  if (isQuota(error)) return { kind: 'waiting', reason: 'quota', detail: cut(error.message) };
  const meaning = MEANINGS[error.status];
  // The caller handles conflicts. Other statuses may come from another apiserver version: START_TIMEOUT ends the retries.
  if (!meaning) throw error;
  return { kind: 'refused', diagnosis: { ...meaning, detail: cut(error.message) } };
}

/** A quota on the number of Jobs: 403 until there is room, or (`status unknown for quota`) until the quota is counted. */
function isQuota(error: KubernetesError): boolean {
  return error.status === 403 && /exceeded quota|status unknown for quota/.test(error.message);
}

const INVALID = {
  code: 'manifest_rejected',
  summary: 'The cluster rejected the manifest of the Kubernetes Job as invalid; nothing was started.',
  what_to_do:
    'Correct the field that the detail names: IMAGE, CPU, MEMORY or POD_OVERRIDES in the params file.',
};

const MEANINGS: Readonly<Record<number, Omit<Diagnosis, 'detail'>>> = {
  400: INVALID,
  403: {
    code: 'forbidden',
    summary: 'The cluster does not allow the worker to create the Kubernetes Job; nothing was started.',
    what_to_do:
      "Give the worker's service account the Role of deploy/kubernetes/role.yaml in this namespace, or change the field that the admission policy rejects.",
  },
  404: {
    code: 'namespace_missing',
    summary: 'The namespace of the Kubernetes Jobs does not exist; nothing was started.',
    what_to_do: 'Create the namespace, or set KUBERNETES_NAMESPACE to one that exists.',
  },
  422: INVALID,
};
