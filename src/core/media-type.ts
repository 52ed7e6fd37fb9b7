/** The media type of a Content-Type header, without its parameters, in lower case; empty where there is none. */
export const mediaTypeOf = (header: string | undefined): string => {
  if (header === undefined) return '';
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
};
