/** Runner `kubernetes` on a real control plane: it does what every runner must. */
import { inject } from 'vitest';
import { conformance } from '../../support/conformance.ts';
import { createKubernetesGround } from '../../support/kubernetes.ts';

conformance('kubernetes', () => createKubernetesGround(inject('cluster'), { forceDelete: true }));
