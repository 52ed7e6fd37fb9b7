// PostgreSQL refuses NUL in text, other control characters have no place in names, a lone surrogate is no UTF-8.
const UNFIT = /[\u0000-\u001f\u007f\p{Surrogate}]/gu;

/** Text of a sender as it may be stored, indexed and shown: unfit characters become U+FFFD, the rest is cut off. */
export const cleanText = (text: string, maxLength: number): string => text.slice(0, maxLength).replace(UNFIT, '\ufffd');
