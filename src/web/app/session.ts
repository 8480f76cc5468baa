/** Session of the user: the login token, renewed while the page is open and shared by all tabs. */
import { type Client, clientOver } from '../../client/client.ts';
import { createHttp, Refused, RENEW_AFTER_MS } from '../../client/http.ts';

const KEY = 'syncrator.session';
/** Why the last session ended, in the server's words, for every tab; removed by the next sign-in. */
const ENDED_KEY = 'syncrator.ended';

type Session = { readonly username: string; readonly token: string; readonly renewAt: number };

const listeners = new Set<() => void>();
let renewing: Promise<string | undefined> | undefined;

export const http = createHttp({ url: '', token: currentToken });
export const client: Client = clientOver(http);

/** Name of the signed-in user; undefined without one. Stable until the next sign-in or sign-out. */
export function signedInAs(): string | undefined {
  return stored()?.username;
}

/** Why the server ended the session; undefined while signed in and after signing out. */
export function endedBecause(): string | undefined {
  return localStorage.getItem(ENDED_KEY) ?? undefined;
}

/** Also fires for changes in other tabs. @returns a function that unsubscribes */
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
  const { access_token: token } = await clientWith(undefined).login(username, password);
  store({ username, token, renewAt: Date.now() + RENEW_AFTER_MS });
}

function clientWith(token: string | undefined): Client {
  return clientOver(createHttp({ url: '', token: () => Promise.resolve(token) }));
}

export function signOut(): void {
  store(undefined);
}

/** Call after a 401: asks the server whether the login is still valid, and ends the session if not. */
export function recheckSession(): void {
  const session = stored();
  if (session) void renewed(session);
}

/** The stored token, renewed first if it is old. */
async function currentToken(): Promise<string | undefined> {
  const session = stored();
  if (!session || Date.now() < session.renewAt) return session?.token;
  return await renewed(session);
}

/** Concurrent calls share one renewal. */
function renewed(session: Session): Promise<string | undefined> {
  renewing ??= renew(session).finally(() => {
    renewing = undefined;
  });
  return renewing;
}

async function renew(session: Session): Promise<string | undefined> {
  try {
    const { access_token: token } = await clientWith(session.token).renewLogin();
    replace(session, { ...session, token, renewAt: Date.now() + RENEW_AFTER_MS });
  } catch (error) {
    // A 401 (token expired, password changed, 12 hours since login) ends the session. Other failures are retried later.
    if (!(error instanceof Refused && error.status === 401)) return session.token;
    replace(session, undefined, error.message);
  }
  return stored()?.token;
}

/** Does nothing if the stored session has changed meanwhile: by a sign-out, a sign-in, or a renewal in another tab. */
function replace(session: Session, newer: Session | undefined, why?: string): void {
  if (stored()?.token === session.token) store(newer, why);
}

function stored(): Session | undefined {
  const text = localStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Session);
}

function store(session: Session | undefined, why?: string): void {
  if (why === undefined) localStorage.removeItem(ENDED_KEY);
  else localStorage.setItem(ENDED_KEY, why); // before removing the session: its storage event makes other tabs read both
  if (session) localStorage.setItem(KEY, JSON.stringify(session));
  else localStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}
