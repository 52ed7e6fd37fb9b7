import type { SecretBox } from './secret-box';
import { SEALED } from './secret-box';

/** The columns of an endpoint that are sealed. */
export interface SealedColumns {
  secret: string;
  previous_secret: string | null;
  auth: string | null;
  headers: string;
}

export const SEALED_COLUMNS = ['secret', 'previous_secret', 'auth', 'headers'] as const satisfies (keyof SealedColumns)[];

/** No headers are no secret. */
const NOTHING = '{}';

export const sealColumn = (box: SecretBox, id: string, column: keyof SealedColumns, text: string): string =>
  text === NOTHING ? text : box.seal(text, contextOf(column, id));

/** @throws GatewayError `secret_unreadable`. */
export const openColumn = (box: SecretBox, id: string, column: keyof SealedColumns, text: string): string =>
  box.open(text, contextOf(column, id));

/** Those that the box's first key did not seal are sealed with it. @throws GatewayError `secret_unreadable`. */
export function resealColumns(box: SecretBox, id: string, columns: SealedColumns): SealedColumns {
  const prefix = `${SEALED}${box.keyId}:`;
  const resealed = (column: keyof SealedColumns, text: string): string =>
    text.startsWith(prefix) ? text : sealColumn(box, id, column, openColumn(box, id, column, text));
  const { secret, previous_secret: previous, auth, headers } = columns;
  return {
    secret: resealed('secret', secret),
    previous_secret: previous === null ? null : resealed('previous_secret', previous),
    auth: auth === null ? null : resealed('auth', auth),
    headers: resealed('headers', headers),
  };
}

const contextOf = (column: string, id: string): string => `endpoints.${column} of ${id}`;
