/** Labels of our Kubernetes Jobs and pods, and the selectors that find them. Pure. */
import type { Key } from '../../domain/job.ts';
import type { StepLabels } from '../../domain/names.ts';
import type { ObjectMeta } from './apiserver/types.ts';

const PREFIX = 'syncrator/';
const JOB_UID = `${PREFIX}job-uid`;
/** An annotation, because a hash exceeds the 63 characters of a label. */
const SPEC_HASH = `${PREFIX}spec-hash`;

export function labelsOf(step: StepLabels): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'syncrator-job',
    'app.kubernetes.io/managed-by': 'syncrator',
    [`${PREFIX}installation`]: step.installation,
    [`${PREFIX}job-id`]: String(step.jobId),
    [JOB_UID]: step.jobUid,
    [`${PREFIX}env`]: step.env,
    [`${PREFIX}target`]: step.target,
    [`${PREFIX}action`]: step.action,
    [`${PREFIX}step`]: String(step.step),
    [`${PREFIX}attempt`]: String(step.attempt),
  };
}

export function annotationsOf(step: StepLabels): Record<string, string> {
  return { [SPEC_HASH]: step.specHash };
}

/** Undefined when one of our labels is missing: the object is not ours. */
export function readLabels({ labels = {}, annotations = {} }: ObjectMeta): StepLabels | undefined {
  const text = (name: string) => labels[PREFIX + name];
  const number = (name: string) => (/^\d+$/.test(text(name) ?? '') ? Number(text(name)) : undefined);
  const [installation, jobUid, env] = [text('installation'), text('job-uid'), text('env')];
  const [target, action, specHash] = [text('target'), text('action'), annotations[SPEC_HASH]];
  const [jobId, step, attempt] = [number('job-id'), number('step'), number('attempt')];
  if (installation === undefined || jobUid === undefined || env === undefined || target === undefined)
    return undefined;
  if (action === undefined || jobId === undefined || step === undefined || attempt === undefined)
    return undefined;
  return { installation, jobId, jobUid, env, target, action, step, attempt, specHash: specHash ?? '' };
}

/** Whether the object carries the label of this job of ours; ignores its other labels. */
export function isOfJob({ labels }: ObjectMeta, jobUid: string): boolean {
  return labels?.[JOB_UID] === jobUid;
}

/** Label selector of this installation's objects, or of those of one key or job. */
export function selectorOf(installation: string, of?: Key | { readonly jobUid: string }): string {
  const wanted = { [`${PREFIX}installation`]: installation, ...narrower(of) };
  return Object.entries(wanted)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

function narrower(of: Key | { readonly jobUid: string } | undefined): Record<string, string> {
  if (!of) return {};
  if ('jobUid' in of) return { [JOB_UID]: of.jobUid };
  return { [`${PREFIX}env`]: of.env, [`${PREFIX}target`]: of.target };
}
