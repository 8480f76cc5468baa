/** `GET /me`: name, role and limits of the bearer of a token. */
import { z } from '@hono/zod-openapi';
import { ROLES } from '../../domain/permission.ts';
import { isoTime } from '../http/fields.ts';
import { defineRoute, subApp } from '../http/route.ts';

const meSchema = z
  .object({
    name: z.string().describe('The name that the audit records.'),
    kind: z
      .enum(['local', 'oidc', 'token'])
      .describe('`local`: a user of Syncrator. `oidc`: a user of the OIDC issuer. `token`: a program.'),
    role: z.enum(ROLES).describe('The role, as of now.'),
    envs: z
      .array(z.string())
      .nullable()
      .describe('The environments in which the caller may act; null means all.'),
    actions: z
      .array(z.string())
      .nullable()
      .describe('The actions that the caller may start or change; null means all.'),
    expires_at: isoTime
      .nullable()
      .describe('When the token of a program expires; null means never, or a person.'),
  })
  .openapi('Me', {
    example: {
      name: 'ada',
      kind: 'local',
      role: 'operator',
      envs: ['qas', 'dev'],
      actions: null,
      expires_at: null,
    },
  });

const meRoute = defineRoute({
  method: 'get',
  path: '/me',
  tag: 'login',
  summary: 'Show your name, role and limits',
  description: 'Permissions are read now; those at the time of login do not count.',
  access: 'viewer',
  answers: { 200: { description: 'The caller.', schema: meSchema } },
});

export function me() {
  const app = subApp();
  app.openapi(meRoute, (c) => {
    const { user } = c.var;
    const { shown, kind, grant } = user;
    const { role, envs, actions } = grant;
    const expiresAt = user.kind === 'token' ? (user.expiresAt?.toISOString() ?? null) : null;
    const copied = (names: readonly string[] | null) => names && [...names];
    return c.json(
      { name: shown, kind, role, envs: copied(envs), actions: copied(actions), expires_at: expiresAt },
      200,
    );
  });
  return app;
}
