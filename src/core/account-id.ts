/** Made by the first migration; whose things are that name no account. */
export const DEFAULT_ACCOUNT = 'default';

/** What may be the id of an account: it stands in URLs and, before a colon, in the keys of events. */
export const ACCOUNT_ID = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;

export const ACCOUNT_ID_RULE = 'must be 1 to 128 letters, digits or ._@- and begin with a letter or digit';
