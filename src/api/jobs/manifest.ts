/** `GET /jobs/:id/manifest`: renders the steps of a job from the specification stored when it was accepted. */
import { z } from '@hono/zod-openapi';
import { readJobView } from '../../db/views/job-views.ts';
import { readInstallation } from '../../db/migrate.ts';
import { readOriginUid } from '../../db/access/origin.ts';
import type { ApiDeps } from '../context.ts';
import { idParam } from '../http/fields.ts';
import { noJob } from './jobs.ts';
import { renderedStepSchema, renderSteps } from './dry-run.ts';
import { defineRoute, subApp } from '../http/route.ts';

const manifestRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/manifest',
  tag: 'jobs',
  summary: 'Show what the runner starts for each step',
  description:
    'Renders the newest attempt of each step, or the first attempt if the step has not started: a Kubernetes Job or a ' +
    'process, in the form of `result` of a dry run. Empty for a job with RUNNER=external. KUBERNETES_POD_OVERRIDES is ' +
    'applied as it is set on this server now.',
  access: 'read',
  params: idParam,
  answers: {
    200: { description: 'Rendered steps in order, without secrets.', schema: z.array(renderedStepSchema) },
  },
  errors: [noJob(7)],
});

export function manifest({ config }: ApiDeps) {
  const app = subApp();
  app.openapi(manifestRoute, async (c) => {
    const { id } = c.req.valid('param');
    const view = await readJobView(c.var.db, id);
    if (!view) throw noJob(id);
    return c.json(
      renderSteps(config, {
        env: view.env,
        target: view.target,
        runner: view.runner,
        steps: view.steps_spec,
        jobId: id,
        uid: view.uid,
        originUid: await readOriginUid(c.var.db, view),
        installation: await readInstallation(c.var.db),
        specHash: view.spec_hash,
        traceparent: view.traceparent,
        attemptOf: (step) => view.steps.findLast((begun) => begun.step === step)?.attempt ?? 1,
      }),
    );
  });
  return app;
}
