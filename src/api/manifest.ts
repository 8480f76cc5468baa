/** `GET /jobs/:id/manifest`: what runs for a job, from the specifications that were frozen when it was accepted. */
import { z } from '@hono/zod-openapi';
import { readJobView } from '../db/job-views.ts';
import { readInstallation } from '../db/migrate.ts';
import type { ApiDeps } from './context.ts';
import { idParam } from './fields.ts';
import { noJob } from './jobs.ts';
import { renderedStepSchema, renderSteps } from './rendered-steps.ts';
import { defineRoute, subApp } from './route.ts';

const manifestRoute = defineRoute({
  method: 'get',
  path: '/jobs/{id}/manifest',
  tag: 'jobs',
  summary: 'What the runner makes of each of its steps',
  description:
    "As a dry run's `result`, of each step's newest attempt, or of the first where there is none yet: Kubernetes Jobs, or processes. " +
    'Empty for a job of RUNNER=external. What KUBERNETES_POD_OVERRIDES adds is shown as this server has it now.',
  access: 'read',
  params: idParam,
  answers: { 200: { description: 'By step, secrets filtered.', schema: z.array(renderedStepSchema) } },
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
        installation: await readInstallation(c.var.db),
        specHash: view.spec_hash,
        traceparent: view.traceparent,
        attemptOf: (step) => view.steps.findLast((begun) => begun.step === step)?.attempt ?? 1,
      }),
    );
  });
  return app;
}
