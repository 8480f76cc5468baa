/** What is counted of passwords and other credentials that come in. */

/** `delayed`: not looked at, since there were too many bad ones; `busy`: since too many are looked at. */
export const LOGIN_OUTCOMES = ['good', 'bad', 'delayed', 'busy'] as const;
export type LoginOutcome = (typeof LOGIN_OUTCOMES)[number];

/** Of nobody known: a bearer token, one of a program's, one of a running attempt's, GitLab's secret. */
export const CREDENTIAL_KINDS = ['token', 'service_token', 'report_token', 'hook_secret'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];
