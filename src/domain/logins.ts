/** The outcomes of logins and other checks of credentials that the metrics count. */

/** `delayed`: not checked, after too many bad ones; `busy`: not checked, because too many checks run. */
export const LOGIN_OUTCOMES = ['good', 'bad', 'delayed', 'busy'] as const;
export type LoginOutcome = (typeof LOGIN_OUTCOMES)[number];

/** Credentials of unknown origin: a bearer token, a service token, a report token, GitLab's secret. */
export const CREDENTIAL_KINDS = ['token', 'service_token', 'report_token', 'hook_secret'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];
