/**
 * Reads the additions of a params file or a setting to our pods: JSON with a closed list of keys, so that nothing
 * else of a pod can change.
 */
import { z } from 'zod';
import type { PodOverrides } from '../domain/job.ts';

const NAME = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'is not a valid name of a Kubernetes object');
const LABEL_KEY = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/,
    'is not a valid label key',
  );
const LABEL_VALUE = z
  .string()
  .regex(/^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/, 'is not a valid label value');
/** Our own labels identify our objects. */
const OWN_KEY = LABEL_KEY.refine(
  // The last two belong to the Job controller, from before it had a prefix.
  (key) => !/^((syncrator|app\.kubernetes\.io|batch\.kubernetes\.io)\/|(job-name|controller-uid)$)/.test(key),
  {
    error: 'belongs to Syncrator or to Kubernetes',
  },
);

const toleration = z.strictObject({
  key: LABEL_KEY.optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: LABEL_VALUE.optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().min(0).optional(),
});

const SE_LINUX = z.string().regex(/^[A-Za-z0-9_.:,-]{1,253}$/, 'is not a valid SELinux label');
const seLinux = z.strictObject({
  level: SE_LINUX.optional(),
  role: SE_LINUX.optional(),
  type: SE_LINUX.optional(),
  user: SE_LINUX.optional(),
});

const schema = z.strictObject({
  annotations: z.record(OWN_KEY, z.string().max(4096)).optional(),
  labels: z.record(OWN_KEY, LABEL_VALUE).optional(),
  nodeSelector: z.record(LABEL_KEY, LABEL_VALUE).optional(),
  tolerations: z.array(toleration).max(20).optional(),
  priorityClassName: NAME.optional(),
  serviceAccountName: NAME.optional(),
  imagePullSecrets: z.array(NAME).max(10).optional(),
  runAsUser: z.int().min(1).optional(),
  supplementalGroups: z.array(z.int().min(1)).max(20).optional(),
  seLinuxOptions: seLinux.optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
});

/**
 * @param text JSON such as `{"nodeSelector":{"disk":"ssd"}}`
 * @throws Error with the path of the first fault and, for an unknown key, the known keys
 */
export function parsePodOverrides(text: string): PodOverrides {
  const parsed = schema.safeParse(readJson(text));
  if (parsed.success) return parsed.data as PodOverrides;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  const known = issue?.code === 'unrecognized_keys' ? `; known: ${Object.keys(schema.shape).join(', ')}` : '';
  // For a bad key the issue itself says only that it is bad.
  const said = (issue?.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue?.message;
  throw new Error(`${where === '' ? '' : `${where}: `}${said ?? 'is wrong'}${known}`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('is not JSON such as {"nodeSelector":{"disk":"ssd"}}', { cause });
  }
}
