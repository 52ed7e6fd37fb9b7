/** As RFC 9110 has them. */
export const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;

export const headerNameProblemOf = (name: string): string | undefined =>
  HEADER_NAME.test(name) ? undefined : 'must be the name of a header';
