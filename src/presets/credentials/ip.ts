import { GatewayError } from '../../core/errors';
import { isInRanges, parseRange } from '../../core/ip-address';
import { DEDUPE_FIELD, GENERIC_READING } from '../generic';
import type { Preset } from '../preset';

export const ip: Preset = {
  type: 'ip',
  title: 'Addresses',
  verifies: 'who is connected, or whom a proxy of `http.trustedProxies` names; proves nothing about the body',
  documentation: 'https://www.rfc-editor.org/rfc/rfc4632',
  fields: {
    ranges: {
      kind: 'list',
      required: true,
      description: 'Ranges such as `192.0.2.0/24` or `2001:db8::/32`, and addresses',
      check: (range: string) => (parseRange(range) === undefined ? 'must be a range such as 192.0.2.0/24 or an address' : undefined),
    },
    dedupeFrom: DEDUPE_FIELD,
  },
  verifier(settings) {
    const ranges = (settings['ranges'] as readonly string[]).map(parseRange).filter((range) => range !== undefined);
    return {
      assertValid({ address }) {
        if (isInRanges(address, ranges)) return undefined;
        throw new GatewayError('signature_invalid', `${address.slice(0, 64)} is in none of the ranges`);
      },
    };
  },
  reading: GENERIC_READING,
};
