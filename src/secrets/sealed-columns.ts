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

export const sealColumns = (box: SecretBox, id: string, columns: SealedColumns): SealedColumns =>
  mapped(columns, (text, column) => (text === NOTHING ? text : box.seal(text, contextOf(column, id))));

/** @throws GatewayError `secret_unreadable`. */
export const openColumns = (box: SecretBox, id: string, columns: SealedColumns): SealedColumns =>
  mapped(columns, (text, column) => box.open(text, contextOf(column, id)));

/** Those that the box's first key did not seal are sealed with it. @throws GatewayError `secret_unreadable`. */
export function resealColumns(box: SecretBox, id: string, columns: SealedColumns): SealedColumns {
  const prefix = `${SEALED}${box.keyId}:`;
  return mapped(columns, (text, column) => {
    if (text === NOTHING || text.startsWith(prefix)) return text;
    const context = contextOf(column, id);
    return box.seal(box.open(text, context), context);
  });
}

const contextOf = (column: string, id: string): string => `endpoints.${column} of ${id}`;

function mapped(columns: SealedColumns, map: (text: string, column: keyof SealedColumns) => string): SealedColumns {
  const { secret, previous_secret: previous, auth, headers } = columns;
  return {
    secret: map(secret, 'secret'),
    previous_secret: previous === null ? null : map(previous, 'previous_secret'),
    auth: auth === null ? null : map(auth, 'auth'),
    headers: map(headers, 'headers'),
  };
}
