/** Reads the path of a `sqlite:` URL. */

/** @returns null unless the URL is an absolute path alone */
export function sqlitePath(url: string): string | null {
  const { host, pathname, search, hash } = new URL(url);
  if (host !== '' || search !== '' || hash !== '' || !pathname.startsWith('/')) return null;
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}
