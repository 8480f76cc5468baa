/** Faults that keep a pod from starting: some pass, the others end the job with the cluster's own words. */
import type { Fault } from './fault.ts';
import { QUOTAS, setQuota } from './cluster-rules.ts';

const SOON = 'START_TIMEOUT=20s\n';

export const WAITS: readonly Fault[] = [
  {
    name: 'image-pull',
    pod: { behaviour: 'image-pull' },
    shows: { reason: 'image_pull', words: /not found/, within: 15 },
    end: { as: 'failed:image_pull', words: /IMAGE/, within: 65 },
  },
  {
    name: 'image-pull-mended',
    pod: { behaviour: 'image-pull' },
    options: '--seconds 2',
    shows: { reason: 'image_pull', within: 15 },
    meddle: async (scene) => {
      await scene.untilShown('image_pull');
      await scene.annotate('behaviour', null);
    },
    end: { as: 'completed', within: 30 },
  },
  {
    name: 'invalid-image',
    pod: { behaviour: 'invalid-image' },
    end: { as: 'failed:invalid_image', words: /InvalidImageName/, within: 15 },
  },
  {
    name: 'missing-secret',
    pod: { behaviour: 'config-error' },
    lines: SOON,
    shows: { reason: 'config_error', words: /secret "missing" not found/, within: 15 },
    end: { as: 'failed:start_timeout', words: /secret "missing" not found/, within: 35 },
  },
  {
    name: 'slow-node',
    pod: { behaviour: 'container-creating' },
    lines: SOON,
    end: { as: 'failed:start_timeout', within: 35 },
  },
  {
    name: 'unschedulable',
    overrides: { nodeSelector: { disk: 'none' } },
    lines: SOON,
    shows: { reason: 'unschedulable', words: /nodes are available/, within: 15 },
    end: { as: 'failed:start_timeout', words: /nodes are available/, within: 35 },
  },
  {
    name: 'unschedulable-mended',
    overrides: { nodeSelector: { fault: 'mended' } },
    options: '--seconds 2',
    shows: { reason: 'unschedulable', within: 15 },
    meddle: async (scene) => {
      const { kubectl } = scene.rig.ground;
      await scene.untilShown('unschedulable');
      await kubectl('label', 'node', scene.rig.cluster.node, 'fault=mended');
      await scene.untilRunning();
      await kubectl('label', 'node', scene.rig.cluster.node, 'fault-');
    },
    end: { as: 'completed', within: 40 },
  },
  {
    name: 'quota',
    overrides: { priorityClassName: QUOTAS.never },
    lines: SOON,
    shows: { reason: 'quota', words: /exceeded quota/, within: 15 },
    end: { as: 'failed:start_timeout', words: /exceeded quota/, within: 35 },
  },
  {
    name: 'quota-raised',
    overrides: { priorityClassName: QUOTAS.raised },
    options: '--seconds 2',
    shows: { reason: 'quota', words: /exceeded quota/, within: 15 },
    meddle: async (scene) => {
      await scene.untilShown('quota');
      await setQuota(scene.rig, 'raised', 10);
      await scene.untilRunning();
      await setQuota(scene.rig, 'raised', 0);
    },
    // The Job controller itself pauses longer and longer between retries, up to a minute.
    end: { as: 'completed', within: 90 },
  },
  {
    name: 'pod-security',
    end: { as: 'failed:admission_denied', words: /violates PodSecurity "restricted/, within: 30 },
  },
  {
    name: 'limit-range',
    lines: 'CPU=3\n',
    end: { as: 'failed:admission_denied', words: /maximum cpu usage per Container is 2/, within: 30 },
  },
  {
    name: 'pod-policy',
    end: { as: 'failed:admission_denied', words: /no pods of this fault, says the policy/, within: 30 },
  },
  {
    name: 'job-policy',
    end: { as: 'failed:manifest_rejected', words: /no Jobs of this fault, says the policy/, within: 10 },
  },
  {
    name: 'webhook-down',
    lines: SOON,
    shows: { reason: 'admission', words: /failed calling webhook/, within: 15 },
    end: { as: 'failed:start_timeout', words: /failed calling webhook/, within: 35 },
  },
  {
    name: 'service-account',
    overrides: { serviceAccountName: 'nobody' },
    shows: { reason: 'admission', words: /"nobody" not found/, within: 15 },
    end: { as: 'failed:service_account_missing', words: /nobody/, within: 90 },
  },
  {
    name: 'quota-on-jobs',
    lines: SOON,
    shows: { reason: 'quota', words: /exceeded quota/, within: 15 },
    alone: {
      begin: ({ rig }) => setQuota(rig, 'jobs', 0),
      end: ({ rig }) => rig.ground.kubectl('delete', 'quota', QUOTAS.jobs),
    },
    end: { as: 'failed:start_timeout', words: /exceeded quota/, within: 40 },
  },
];
