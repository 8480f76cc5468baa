/** Runner `kubernetes` on a real control plane fulfils the contract of runners. */
import { inject } from 'vitest';
import { conformance } from '../../support/conformance.ts';
import { createKubernetesGround } from '../../support/kubernetes.ts';

conformance('kubernetes', () => createKubernetesGround(inject('cluster'), { forceDelete: true }));
