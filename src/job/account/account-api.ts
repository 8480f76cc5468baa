/** The account as its web API tells it: who we are there, and the warehouses of that user. Answers are untrusted. */

import { z } from 'zod';
import type { Log } from '../log.ts';
import type { AccessToken } from './access-token.ts';
import { tried } from './tries.ts';
import { callUpstream, type Upstream } from './upstream-call.ts';
import { UpstreamFault } from './upstream-fault.ts';

const FIRST_PAUSE_MS = 250;

const id = z.int().positive();
/** What Postgres can keep. */
const isKept = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();
const text = z.string().refine(isKept, 'holds what no text may');
/** Numbers are taken as they are written: a postal code is one at times. */
const textOrNone = z
  .union([text, z.number().transform(String)])
  .nullish()
  .transform((value) => value ?? null);

const user = z.object({
  id,
  username: text,
  email: textOrNone,
  employee_id: textOrNone,
  first_name: textOrNone,
  last_name: textOrNone,
});

const warehouse = z.object({
  id,
  name: text,
  line1: textOrNone,
  line2: textOrNone,
  site: textOrNone,
  city: textOrNone,
  state: textOrNone,
  zip_code: textOrNone,
  country: textOrNone,
  fax: textOrNone,
  phone: textOrNone,
});

const account = user.extend({
  warehouses: z
    .array(warehouse)
    .refine((all) => new Set(all.map((one) => one.id)).size === all.length, 'the same id comes twice'),
});

export type User = z.infer<typeof user>;
export type Warehouse = z.infer<typeof warehouse>;
export type Account = { readonly user: User; readonly warehouses: readonly Warehouse[] };

export type AccountApi = {
  /** The id of the user whose credentials these are. */
  currentUser(): Promise<number>;
  account(userId: number): Promise<Account>;
};

/** Every call is tried again where that may help. @throws JobError, its message ended by the fault */
export function createAccountApi(upstream: Upstream, token: AccessToken, log: Log): AccountApi {
  const pauseMs = (failures: number): number => FIRST_PAUSE_MS * 2 ** (failures - 1);
  const pace = { pauseMs, log, stop: upstream.stop };

  async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    for (;;) {
      const bearer = await token.get();
      try {
        return await tried(pace, () => callUpstream(upstream, { path, schema, token: bearer }));
      } catch (error) {
        if (!(error instanceof UpstreamFault) || error.status !== 401 || !token.refused(bearer)) throw error;
        log.info('the token was refused; another is fetched');
      }
    }
  }

  return {
    currentUser: () => ending(async () => (await get('iam/users/me', z.object({ id }))).id),
    account: (userId) =>
      ending(async () => {
        const path = `iam/users/${userId}/warehouses`;
        const { warehouses, ...rest } = await get(path, account);
        if (rest.id !== userId) {
          throw new UpstreamFault('bad_answer', `GET ${upstream.apiUrl}${path} answers another user`);
        }
        return { user: rest, warehouses };
      }),
  };
}

async function ending<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UpstreamFault ? error.toJobError() : error;
  }
}
