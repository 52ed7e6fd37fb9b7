import { applyDecorators } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { DEFAULT_LIMIT, MAX_LIMIT } from '../http/page';

/** Documents the queries of a paged list. */
export const ApiPage = (): MethodDecorator =>
  applyDecorators(
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
      description: 'Entries wanted on this page.',
    }),
    ApiQuery({ name: 'cursor', required: false, type: String, description: 'The nextCursor of the page before.' }),
  );
