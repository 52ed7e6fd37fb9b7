import { GatewayError } from '../../core/errors';
import type { SignedRequest } from '../preset';
import { requiredHeader } from '../request/header';

/** One piece of what is signed. @throws GatewayError `signature_missing` for a header that was not sent. */
type Piece = (request: SignedRequest, timestamp: string) => string | Buffer;

export interface TemplateSettings {
  idHeader: string | undefined;
  publicUrl: string | null;
}

const PLACEHOLDER = /\{([^{}]*)\}/g;
const HEADER = /^header:([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})$/;
const NAMES: ReadonlySet<string> = new Set(['body', 'timestamp', 'id', 'method', 'url', 'path', 'target']);

export const placeholdersOf = (template: string): string[] => [...template.matchAll(PLACEHOLDER)].map(([, name]) => name!);

export function templateProblemOf(template: string): string | undefined {
  const names = placeholdersOf(template);
  const unknown = names.find((name) => !NAMES.has(name) && !HEADER.test(name));
  if (unknown !== undefined) return `must not hold {${unknown}}, which is nothing that is known of a request`;
  return names.includes('body') ? undefined : 'must hold {body}: what is not signed, anybody could change';
}

/** @param template One without problems. */
export function compileTemplate(template: string, settings: TemplateSettings): readonly Piece[] {
  // Of a split by an expression with a group every second part is what the group held.
  return template
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 1 ? pieceOf(part, settings) : part))
    .filter((piece) => piece !== '')
    .map((piece) => (typeof piece === 'string' ? () => piece : piece));
}

function pieceOf(name: string, { idHeader = '', publicUrl }: TemplateSettings): Piece {
  const header = HEADER.exec(name)?.[1] ?? (name === 'id' ? idHeader : undefined);
  if (header !== undefined) return (request) => requiredHeader(request, header.toLowerCase());
  switch (name) {
    case 'timestamp':
      return (_request, timestamp) => timestamp;
    case 'method':
      return ({ method }) => method;
    case 'path':
      return ({ target }) => target.split('?', 1)[0]!;
    case 'target':
      return ({ target }) => target;
    case 'url': {
      const base = publicUrl?.replace(/\/+$/, '');
      return ({ target }) => {
        if (base === undefined) throw new GatewayError('channel_not_configured', 'hookServer.publicUrl is not set');
        return base + target;
      };
    }
    default:
      return ({ body }) => body;
  }
}
