/** Diagnoses of pods that the cluster refuses to admit, with the fix for each kind of refusal. Pure. */
import type { Diagnosis } from '../../../domain/outcome.ts';
import { diagnosis } from '../../exit-diagnosis.ts';
import { kubectl } from './job-status.ts';
import type { Job } from '../apiserver/types.ts';

export function admissionDenied(job: Job, message: string): Diagnosis {
  return diagnosis(
    {
      code: 'admission_denied',
      summary: 'The cluster refused the pod of the Kubernetes Job; nothing was started.',
      what_to_do: whatToChange(job, message),
    },
    message,
  );
}

export function serviceAccountMissing(job: Job, message: string): Diagnosis {
  return diagnosis(
    {
      code: 'service_account_missing',
      summary: 'The service account of the pod does not exist in the namespace; nothing was started.',
      what_to_do: `Create the service account that the detail names, or name another as serviceAccountName in POD_OVERRIDES ('${kubectl('get serviceaccounts', job)}' lists the existing ones), then start the job again.`,
    },
    message,
  );
}

function whatToChange(job: Job, message: string): string {
  if (message.includes('violates PodSecurity'))
    return (
      'Our pods meet the level restricted: find the webhook of the cluster that adds the violation and exempt our pods ' +
      'from it (labels or annotations in POD_OVERRIDES), or lower the level of the namespace ' +
      `('kubectl get namespace ${job.metadata.namespace ?? ''} --show-labels').`
    );
  if (/(minimum|maximum) .* usage per/.test(message))
    return `Set CPU and MEMORY in the params file within the limits of the namespace: '${kubectl('describe limitrange', job)}'.`;
  if (/failed quota:.*must specify/.test(message))
    return (
      'Our pods set only cpu and memory: give the namespace a LimitRange with defaults for the other resources of its ' +
      `quota ('${kubectl('describe resourcequota', job)}').`
    );
  const policy = /admission webhook "([^"]+)"|ValidatingAdmissionPolicy '([^']+)'/.exec(message);
  if (policy)
    return `Change the field that policy '${policy[1] ?? policy[2]}' rejects (IMAGE, POD_OVERRIDES; the dry run shows the pod), or exempt our pods from the policy.`;
  if (message.includes('cannot create resource'))
    return 'Grant the Job controller of the cluster permission to create pods again.';
  return 'Correct the field that the detail names, in the params file (POD_OVERRIDES; the dry run shows the pod) or in the cluster.';
}
