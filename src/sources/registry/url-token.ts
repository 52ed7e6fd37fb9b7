import { hash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

/** The last part of a source's URL: who knows it may try to send. */
export const newToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');

/** What a token is looked up by, in memory and in the database: neither tells a token to those who read it. */
export const hashOf = (token: string): string => hash('sha256', token, 'base64url');

/** Nothing else can be a token, so nothing else is looked up. */
export const isToken = (text: string): boolean => TOKEN.test(text);

/** The token in a request's target, `/in/<token>?…`; empty where there is none. */
export function tokenOf(target: string): string {
  const start = target.lastIndexOf('/', pathLength(target) - 2) + 1;
  const token = target.slice(start, pathLength(target)).replace(/\/$/, '');
  return isToken(token) ? token : '';
}

const pathLength = (target: string): number => {
  const end = target.search(/[?#]/);
  return end === -1 ? target.length : end;
};
