/** `GET /me`: who the bearer of a token is here, and what they may do, for pages and people to know beforehand. */
import { z } from '@hono/zod-openapi';
import { ROLES } from '../domain/grant.ts';
import { isoTime } from './fields.ts';
import { defineRoute, subApp } from './route.ts';

const meSchema = z
  .object({
    name: z.string().describe('As it stands in the record.'),
    kind: z.enum(['local', 'oidc', 'token']).describe('A user of ours, one of the issuer, or a program.'),
    role: z.enum(ROLES),
    envs: z.array(z.string()).nullable().describe('The only environments it may act in; null is all.'),
    actions: z.array(z.string()).nullable().describe('The only actions it may start or touch; null is all.'),
    expires_at: isoTime.nullable().describe('When the token of a program ends; null is never.'),
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
export type MeJson = z.infer<typeof meSchema>;

const meRoute = defineRoute({
  method: 'get',
  path: '/me',
  tag: 'login',
  summary: 'Who one is, and what one may do',
  description: 'As of now, whatever it was when the token was made.',
  access: 'viewer',
  answers: { 200: { description: 'Who asks.', schema: meSchema } },
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
