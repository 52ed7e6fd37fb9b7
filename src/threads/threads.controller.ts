import { Controller, Get, Param, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../auth/principal';
import { GatewayError } from '../core/errors';
import { ApiPage } from '../dispatcher/api-page';
import { type Query as QueryValues, QueryFields } from '../http/query-fields';
import { listScope } from '../dispatcher/registry/account-scope';
import { type Page, PageQuery, pageOf } from '../http/page';
import { statementCursor, statementPosition, threadCursor, threadPosition } from './cursor';
import { MAX_SEARCHED_STATEMENTS, ThreadStore } from './thread-store';
import type { ThreadListDto, ThreadWithStatementsDto } from './threads.dto';
import { viewStatement, viewThread } from './threads.view';

@ApiTags('threads')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/threads')
export class ThreadsController {
  constructor(private readonly store: ThreadStore) {}

  /** Conversations, those with the newest statement first. */
  @Get()
  @ApiPage()
  @ApiQuery({
    name: 'q',
    required: false,
    type: String,
    description:
      'Words that stand together in one statement, in any order and case. ' +
      `The ${String(MAX_SEARCHED_STATEMENTS)} newest statements that hold them are looked at.`,
  })
  @ApiQuery({ name: 'channel', required: false, type: String, description: 'Such as `facebook` or `whatsapp`.' })
  @ApiQuery({ name: 'since', required: false, type: String, description: 'Something was said at or after this time (ISO 8601).' })
  @ApiQuery({ name: 'accountId', required: false, type: String })
  async list(@Query() query: QueryValues, @PageQuery('text') page: Page, @CurrentPrincipal() principal: Principal): Promise<ThreadListDto> {
    const fields = new QueryFields(query);
    const filters = { text: fields.text('q'), channel: fields.text('channel'), sinceMs: fields.timeMs('since') };
    const accountId = fields.text('accountId');
    fields.assertValid();
    const after = threadPosition(page.cursor);
    const threads = await this.store.list({ account: listScope(principal, accountId), ...filters }, page.limit + 1, after);
    const { data, nextCursor } = pageOf(threads, page.limit, threadCursor);
    return { data: data.map(viewThread), nextCursor };
  }

  /** A conversation with what was said in it, the newest first. */
  @Get(':id')
  @ApiPage()
  @ApiQuery({ name: 'accountId', required: false, type: String })
  async get(
    @Param('id') id: string,
    @Query() query: QueryValues,
    @PageQuery('text') page: Page,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ThreadWithStatementsDto> {
    const fields = new QueryFields(query);
    const accountId = fields.text('accountId');
    fields.assertValid();
    const after = statementPosition(page.cursor);
    const thread = id.includes('\0') ? undefined : await this.store.find(id, listScope(principal, accountId));
    if (!thread) throw new GatewayError('not_found', `There is no thread ${id.slice(0, 128)}`);
    const statements = await this.store.statements(thread, page.limit + 1, after);
    const { data, nextCursor } = pageOf(statements, page.limit, statementCursor);
    return { ...viewThread(thread), statements: data.map(viewStatement), nextCursor };
  }
}
