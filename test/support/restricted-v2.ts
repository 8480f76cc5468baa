/**
 * Admission like OpenShift's restricted-v2: a namespace has its own range of users and groups. A pod that names one
 * outside is refused; a pod that names none gets the first.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { createAuthority } from './certificates.ts';

/** The first of a namespace's ten thousand. */
export const FIRST_ID = 1_000_690_000;
const LEVEL = 's0:c26,c25';
const NAMESPACE_LABEL = 'restricted-v2';

type Security = {
  runAsUser?: number;
  fsGroup?: number;
  seLinuxOptions?: { level?: string };
};
type PodSpec = {
  securityContext?: Security;
  initContainers?: { name: string; securityContext?: Security }[];
  containers: { name: string; securityContext?: Security }[];
};
type Review = { request: { uid: string; object: { spec: PodSpec } } };
type Patch = { op: 'add'; path: string; value: unknown };

/** @param kubectl the administrator's; admission applies to pods of its namespace from now on */
export async function imitateRestrictedV2(
  kubectl: (...args: string[]) => Promise<string>,
  namespace: string,
): Promise<AsyncDisposable> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-admission-'));
  const authority = await createAuthority();
  const { crt, key } = await authority.sign('admission');
  const server = createServer({ cert: readFileSync(crt), key: readFileSync(key) }, (asked, answer) => {
    void json(asked).then((body) => {
      const { request } = body as Review;
      const response = { uid: request.uid, ...judge(request.object.spec) };
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await kubectl('label', 'namespace', namespace, `${NAMESPACE_LABEL}=imitated`);
  const file = path.join(folder, 'webhook.json');
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: NAMESPACE_LABEL },
      webhooks: [
        {
          name: 'restricted-v2.syncrator.test',
          clientConfig: {
            url: `https://127.0.0.1:${port}/`,
            caBundle: readFileSync(authority.ca).toString('base64'),
          },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
          namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: 'imitated' } },
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    }),
  );
  await kubectl('apply', '-f', file);
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      authority[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function judge(spec: PodSpec): object {
  const of = spec.securityContext ?? {};
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const wrong = [of, ...containers.map(({ securityContext = {} }) => securityContext)].flatMap(
    ({ runAsUser, fsGroup, seLinuxOptions }) => [
      ...(isOutside(runAsUser) ? [`runAsUser: Invalid value: ${runAsUser}: must be in the ranges`] : []),
      ...(isOutside(fsGroup) ? [`fsGroup: Invalid value: ${fsGroup}: is not an allowed group`] : []),
      ...(seLinuxOptions?.level !== undefined && seLinuxOptions.level !== LEVEL
        ? [`seLinuxOptions.level: Invalid value: ${seLinuxOptions.level}: must be ${LEVEL}`]
        : []),
    ],
  );
  if (wrong.length > 0)
    return {
      allowed: false,
      status: {
        code: 403,
        message: `unable to validate against any security context constraint: ${wrong.join(', ')}`,
      },
    };
  const patch: Patch[] = [
    { op: 'add', path: '/spec/securityContext', value: { runAsUser: FIRST_ID, fsGroup: FIRST_ID, ...of } },
  ];
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  };
}

function isOutside(id: number | undefined): boolean {
  return id !== undefined && (id < FIRST_ID || id >= FIRST_ID + 10_000);
}
