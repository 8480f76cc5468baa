/** Lets the api's first user in. */

export const ADMIN_PASSWORD = 'correct horse battery';

/** @returns a token of admin, good for 15 minutes. @throws Error when there is none */
export async function login(url: string): Promise<string> {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password: ADMIN_PASSWORD }),
    signal: AbortSignal.timeout(15_000),
  });
  return tokenIn(answer.status, await answer.text());
}

/** Of an answer of `POST /login` or `POST /login/renew`. @throws Error when it has none */
export function tokenIn(status: number, text: string): string {
  const { access_token: token } = (status === 200 ? JSON.parse(text) : {}) as { access_token?: string };
  if (token === undefined) throw new Error(`login: ${status} ${text}`);
  return token;
}
