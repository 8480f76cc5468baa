/** A handler's answers are checked against its declared schemas, by the compiler. */
import { z } from '@hono/zod-openapi';
import { expect, test } from 'vitest';
import { defineRoute, subApp } from '../../../src/api/http/route.ts';

const route = defineRoute({
  method: 'get',
  path: '/one',
  tag: 'jobs',
  summary: 'Show one',
  access: 'public',
  deadline: false,
  answers: {
    200: { description: 'The one.', schema: z.object({ id: z.int(), end: z.string().nullable() }) },
  },
});

test('An answer that matches its declared schema compiles and is sent', async () => {
  const app = subApp();
  app.openapi(route, (c) => c.json({ id: 1, end: null }, 200));
  const answer = await app.request('/one');
  expect([answer.status, await answer.json()]).toEqual([200, { id: 1, end: null }]);
});

test('An answer that does not match its declared schema does not compile', () => {
  const app = subApp();
  // @ts-expect-error a field is missing
  app.openapi(route, (c) => c.json({ id: 1 }, 200));
  // @ts-expect-error a field has the wrong type
  app.openapi(route, (c) => c.json({ id: 'one', end: null }, 200));
  // @ts-expect-error the status is not declared
  app.openapi(route, (c) => c.json({ id: 1, end: null }, 202));
  // @ts-expect-error the media type is not declared
  app.openapi(route, (c) => c.text('one', 200));
  expect(app.routes.length).toBeGreaterThan(0);
});
