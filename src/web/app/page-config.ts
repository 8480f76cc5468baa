/** Settings that the server writes into the meta tags of index.html on each load. */

function metaContent(name: string): string {
  return document.querySelector(`meta[name=${name}]`)?.getAttribute('content') ?? '';
}

/** The Content-Security-Policy blocks inline styles without this nonce. */
export const styleNonce = metaContent('style-nonce');
/** Whether reads need no sign-in; writes always do. */
export const isReadPublic = metaContent('public-reads') === 'true';
/** Whether password sign-in is on. If off, the server accepts only an OIDC issuer's tokens, which the page cannot use. */
export const isLoginLocal = metaContent('local-login') === 'true';
/** Caches every asset of this version in the browser, even while pods of another version answer too; see index.html. */
export const keepAssets = (globalThis as unknown as { keepAssets: () => Promise<unknown> }).keepAssets;
