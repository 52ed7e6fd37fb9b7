import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { readJson, validateAs } from './validate';

const EMPTY = Buffer.alloc(0);

/**
 * What `@Body()` gives, by the parameter's type: the raw bytes for `Buffer`, text for `string`, a validated instance for a class
 * with rules, parsed JSON for anything else.
 */
@Injectable()
export class BodyPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    if (type !== 'body' || data !== undefined) return value;
    const bytes = Buffer.isBuffer(value) ? value : EMPTY;
    if (metatype === Buffer || metatype === Uint8Array) return bytes;
    if (metatype === String) return bytes.toString('utf8');
    const parsed = readJson(bytes);
    if (metatype === undefined || metatype === Object || metatype === Array) return parsed;
    return validateAs(metatype as new () => object, parsed);
  }
}
