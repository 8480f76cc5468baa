/** Diagnoses of a pod that the cluster would not take: what to change, by what it said. Pure. */
import type { Diagnosis } from '../../domain/outcome.ts';
import { diagnosis } from '../exit-diagnosis.ts';
import { kubectl } from './look.ts';
import type { Job } from './objects.ts';

export function admissionDenied(job: Job, message: string): Diagnosis {
  return diagnosis(
    {
      code: 'admission_denied',
      summary: 'The cluster refuses the pod of the Kubernetes Job; nothing was started.',
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
      what_to_do: `Create the service account that the detail names, or name another as serviceAccountName in POD_OVERRIDES ('${kubectl('get serviceaccounts', job)}' lists those there are), then start the job again.`,
    },
    message,
  );
}

function whatToChange(job: Job, message: string): string {
  if (message.includes('violates PodSecurity'))
    return (
      'Our pods keep to the level restricted: see what a webhook of the cluster adds to them, and exempt them from it ' +
      '(labels or annotations in POD_OVERRIDES), or lower the level of the namespace ' +
      `('kubectl get namespace ${job.metadata.namespace ?? ''} --show-labels').`
    );
  if (/(minimum|maximum) .* usage per/.test(message))
    return `Set CPU and MEMORY in the params file to what the namespace allows: '${kubectl('describe limitrange', job)}'.`;
  if (/failed quota:.*must specify/.test(message))
    return (
      'Our pods name cpu and memory alone: give the namespace a LimitRange with defaults for what else its quota ' +
      `demands ('${kubectl('describe resourcequota', job)}').`
    );
  const policy = /admission webhook "([^"]+)"|ValidatingAdmissionPolicy '([^']+)'/.exec(message);
  if (policy)
    return `Change what policy '${policy[1] ?? policy[2]}' objects to (IMAGE, POD_OVERRIDES; the dry run shows the pod), or have it exempt our pods.`;
  if (message.includes('cannot create resource'))
    return 'Give the Job controller of the cluster its right to create pods back.';
  return 'Change what the detail names, in the params file (POD_OVERRIDES; the dry run shows the pod) or in the cluster.';
}
