/** The worker's rights are exactly the Role that we publish; a worker without some of them says so. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { requestForceDelete } from '../../../../src/db/jobs/cancel.ts';
import { RIGHTS } from '../../../../src/runner/kubernetes/apiserver/permissions.ts';
import { cancel } from '../../../../src/engine/cancel.ts';
import { ALLOWED, listed, READ, workerAccount } from '../../../support/can-i.ts';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { params, startSystem, type System } from '../../../support/system.ts';

const cluster = inject('cluster');
const ROLES = path.resolve(import.meta.dirname, '../../../../deploy/kubernetes');
describe('the Role', () => {
  let ground: KubernetesGround;
  let elsewhere: KubernetesGround;
  beforeAll(async () => {
    ground = await createKubernetesGround(cluster, { actor: false });
    elsewhere = await createKubernetesGround(cluster, { actor: false });
  });
  afterAll(async () => {
    await ground.dispose();
    await elsewhere.dispose();
  });

  test('allows exactly these verbs, and none in another namespace', async () => {
    expect(await workerAccount(cluster, ground).listedByKubectl()).toEqual(ALLOWED);
    expect(await workerAccount(cluster, ground).mayDo()).toEqual(listed(ALLOWED));
    expect(await workerAccount(cluster, ground).mayDo(elsewhere.namespace)).toEqual([]);
  });

  test('the Role of force-delete adds the deletion of pods, nothing else', async () => {
    await elsewhere.kubectl('apply', '-f', path.join(ROLES, 'force-delete-role.yaml'));
    expect(await workerAccount(cluster, elsewhere).mayDo()).toEqual(
      listed({ ...ALLOWED, pods: [...READ, 'delete'] }),
    );
  });

  test('grants exactly the permissions that the worker checks at its start', async () => {
    const text = await readFile(path.join(ROLES, 'role.yaml'), 'utf8');
    const rules = text.matchAll(/apiGroups: \[(.*)\]\n\s+resources: \[(.*)\]\n\s+verbs: \[(.*)\]/g);
    const inFile = [...rules].map(([, group = '', resource = '', verbs = '']) => {
      const [name, subresource] = resource.split('/');
      return {
        group: group.replaceAll('"', ''),
        resource: name,
        ...(subresource === undefined ? {} : { subresource }),
        verbs: verbs.split(', '),
      };
    });
    expect(inFile).toEqual(RIGHTS);
  });
});

describe('a worker', () => {
  let system: System;
  let ground: KubernetesGround;
  const HANGS = 'POD_OVERRIDES={"annotations":{"kwok.syncrator/never-deleted":"true"}}\n';
  beforeAll(async () => {
    ground = await createKubernetesGround(cluster);
    system = await startSystem({ params: [params('lost', 'sync', '--seconds 600', HANGS)], ground });
  });
  afterAll(() => system[Symbol.asyncDispose]());

  test('does not start without its permissions, and names in one line those missing and the file that grants them', async () => {
    await ground.kubectl('delete', 'rolebinding', 'syncrator-worker');
    const error = await system.startWorker().then(
      () => 'it started',
      ({ message }: Error) => message,
    );
    const all = RIGHTS.flatMap(({ resource, subresource, verbs }) =>
      verbs.map((verb) => `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`),
    );
    const lines = error.split('\n').filter((line) => line.startsWith('worker: '));
    expect(lines).toEqual([
      `worker: the account of context worker lacks permissions in namespace ${ground.namespace}: ${all.join(', ')}; apply deploy/kubernetes/role.yaml there`,
    ]);
    await ground.kubectl('apply', '-f', path.join(ROLES, 'role.yaml'));
    await ground.kubectl(
      'patch',
      'role',
      'syncrator-worker',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/rules/2"}]',
    );
    await expect(system.startWorker()).rejects.toThrow(': get pods/log; apply');
    await ground.kubectl('apply', '-f', path.join(ROLES, 'role.yaml'));
  });

  test('without the Role of force-delete reports the missing permission on the job, and continues once it is granted', {
    timeout: 120_000,
  }, async () => {
    await system.startWorker();
    const submitted = await system.submit('lost', 'sync');
    if (submitted.kind !== 'created') throw new Error(submitted.kind);
    const { id } = submitted.job;
    await system.until(id, 'running');
    await cancel(system, { id, principal: 'test' });
    await system.until(id, 'cancelling');
    expect(await requestForceDelete(system.db, { id, principal: 'test' })).toBe(true);
    await expect
      .poll(() => system.job(id), { timeout: 30_000 })
      .toMatchObject({
        status: 'cancelling',
        status_reason: 'removal_refused',
        status_detail: expect.stringMatching(/cannot delete resource "pods".*force-delete-role\.yaml/s),
      });
    // The Job itself may be deleted, and is: only its pod holds it.
    expect(await system.live('lost')).toMatchObject([{ removing: true }]);
    await ground.kubectl('apply', '-f', path.join(ROLES, 'force-delete-role.yaml'));
    expect(await system.until(id, 'deleted', 60_000)).toMatchObject({ status_reason: null });
    expect(await system.live('lost')).toEqual([]);
  });
});
