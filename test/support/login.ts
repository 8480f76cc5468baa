/** Logs in the api's first user. */

export const ADMIN_PASSWORD = 'correct horse battery';

/**
 * @returns a token of admin, valid for 15 minutes
 * @throws Error if the login fails
 */
export async function login(url: string): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password: ADMIN_PASSWORD }),
    signal: AbortSignal.timeout(15_000),
  });
  return tokenIn(answer.status, await answer.text());
}

/**
 * Reads the token of `POST /login` or `POST /login/renew`.
 * @throws Error if there is none
 */
export function tokenIn(status: number, text: string): string {
  const { access_token: token } = (status === 200 ? JSON.parse(text) : {}) as { access_token?: string };
  if (token === undefined) throw new Error(`login: ${status} ${text}`);
  return token;
}
