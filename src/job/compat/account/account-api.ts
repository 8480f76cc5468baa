/** Reads the account from its web API: the current user and that user's warehouses. Answers are untrusted. */
import { z } from 'zod';
import type { Log } from '../../log.ts';
import type { AccessToken } from './access-token.ts';
import { withRetries } from './retry.ts';
import { callUpstream, type Upstream } from './upstream-call.ts';
import { HttpFault } from '../../http/http-fault.ts';

const FIRST_PAUSE_MS = 250;

const id = z.int().positive();
/** True for texts that Postgres can store. */
const isKept = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();
const text = z.string().refine(isKept, 'contains U+0000 or half of a surrogate pair');
/** Accepts numbers, since the API sends some postal codes as numbers. */
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
    .refine((all) => new Set(all.map((one) => one.id)).size === all.length, 'contains the same id twice'),
});

export type User = z.infer<typeof user>;
export type Warehouse = z.infer<typeof warehouse>;
export type Account = { readonly user: User; readonly warehouses: readonly Warehouse[] };

export type AccountApi = {
  /** The id of the user to whom the credentials belong. */
  currentUser(): Promise<number>;
  account(userId: number): Promise<Account>;
};

/** Retries every call if that may help. @throws JobError whose message ends with the fault in brackets */
export function createAccountApi(upstream: Upstream, token: AccessToken, log: Log): AccountApi {
  const pauseMs = (failures: number): number => FIRST_PAUSE_MS * 2 ** (failures - 1);
  const pace = { pauseMs, log, stop: upstream.stop };

  async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    for (;;) {
      const bearer = await token.get();
      try {
        return await withRetries(pace, () => callUpstream(upstream, { path, schema, token: bearer }));
      } catch (error) {
        if (!(error instanceof HttpFault) || error.status !== 401 || !token.refused(bearer)) throw error;
        log.info('the API refused the token; fetching another one');
      }
    }
  }

  return {
    currentUser: () => ending(async () => (await get('iam/users/me', z.object({ id }))).id),
    account: (userId) =>
      ending(async () => {
        const path = `iam/users/${userId}/warehouses`;
        const { warehouses, ...rest } = await get(path, account);
        if (rest.id !== userId)
          throw new HttpFault('bad_answer', `GET ${upstream.apiUrl}${path} answers with another user`);
        return { user: rest, warehouses };
      }),
  };
}

async function ending<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof HttpFault ? error.toJobError() : error;
  }
}
