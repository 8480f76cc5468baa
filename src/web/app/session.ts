/** Who uses the page: the token of their login, renewed while the page is open, shared by its tabs. */
import { type Client, clientOver } from '../../client/client.ts';
import { createHttp, Refused, RENEW_AFTER_MS } from '../../client/http.ts';

const KEY = 'syncrator.session';

type Session = { readonly username: string; readonly token: string; readonly renewAt: number };
type TokenAnswer = { readonly access_token: string };

const listeners = new Set<() => void>();
let renewing: Promise<string | undefined> | undefined;

const doorless = createHttp({ url: '', token: () => Promise.resolve(undefined) });
const http = createHttp({ url: '', token: currentToken });
export const client: Client = clientOver(http);
export { http };

/** Undefined when nobody is signed in. The same string until somebody signs in or out. */
export function signedInAs(): string | undefined {
  return stored()?.username;
}

/** @returns what ends it */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

/** @throws Refused, Unreachable */
export async function signIn(username: string, password: string): Promise<void> {
  const { body } = await doorless.call<TokenAnswer>('POST', '/login', { json: { username, password } });
  store({ username, token: body.access_token, renewAt: Date.now() + RENEW_AFTER_MS });
}

export function signOut(): void {
  store(undefined);
}

/** The kept token, exchanged for a newer one on the way when it is old. */
async function currentToken(): Promise<string | undefined> {
  const session = stored();
  if (!session || Date.now() < session.renewAt) return session?.token;
  renewing ??= renew(session).finally(() => {
    renewing = undefined;
  });
  return await renewing;
}

async function renew(session: Session): Promise<string | undefined> {
  try {
    const { body } = await doorless.call<TokenAnswer>('POST', '/login/renew', {
      headers: { authorization: `Bearer ${session.token}` },
    });
    replace(session, { ...session, token: body.access_token, renewAt: Date.now() + RENEW_AFTER_MS });
  } catch (error) {
    // Expired, or twelve hours after the password: they sign in again. Who cannot answer now will be asked later.
    if (!(error instanceof Refused && error.status === 401)) return session.token;
    replace(session, undefined);
  }
  return stored()?.token;
}

/** Nothing where it is another's by now: somebody has signed out or in meanwhile, or another tab has renewed it. */
function replace(session: Session, newer: Session | undefined): void {
  if (stored()?.token === session.token) store(newer);
}

function stored(): Session | undefined {
  const text = localStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Session);
}

function store(session: Session | undefined): void {
  if (session) localStorage.setItem(KEY, JSON.stringify(session));
  else localStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}
