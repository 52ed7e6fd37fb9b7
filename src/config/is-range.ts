import { ValidateBy } from 'class-validator';
import { parseRange } from '../core/ip-address';

/** Of each text in a list: a range of addresses, or one. @param allowed What the whole list may be, as in "… is x; allowed: …". */
export const IsRange = (allowed = 'a list of ranges such as 10.0.0.0/8 or fd00::/8 and of addresses'): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isRange',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseRange(value) !== undefined,
        defaultMessage: () => allowed,
      },
    },
    { each: true },
  );
