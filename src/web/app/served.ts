/** What the server has put into index.html for this load. */

function served(name: string): string {
  return document.querySelector(`meta[name=${name}]`)?.getAttribute('content') ?? '';
}

/** The policy lets no other style in. */
export const styleNonce = served('style-nonce');
/** Whether everybody may look; only those signed in may act. */
export const isReadPublic = served('public-reads') === 'true';
/** Whether one signs in here, with a password; otherwise another issuer's tokens alone count, which the page takes not. */
export const isLoginLocal = served('local-login') === 'true';
