import { Controller, Get, Head, HttpCode, Options, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Direct, sendAnswer } from '../http/direct';
import { Door } from '../http/door';
import { receivedOf } from '../http/received-request';
import type { PresetAnswer } from '../presets/preset';
import { IN, InDoor } from './in.door';
import type { LiveSource } from './registry/live-source';

/** Where any system sends to that is no channel of its own; docs/sources.md. */
@ApiTags('doors')
@ApiParam({ name: 'token', description: 'Of the URL of a source' })
@Controller(IN)
export class InController {
  constructor(private readonly door: InDoor) {}

  /** For those who check a URL before they take it. */
  @ApiOperation({ summary: 'Whether there is such a source' })
  @Head(':token')
  @HttpCode(200)
  @Door(IN)
  check(): void {
    // The gate has looked already.
  }

  @ApiOperation({ summary: 'What the platform of the source asks at its URL' })
  @Get(':token')
  @Door(IN)
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    sendAnswer(reply, await this.answerTo(request));
  }

  @ApiOperation({ summary: 'What the platform of the source asks at its URL' })
  @Options(':token')
  @Door(IN)
  async options(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    sendAnswer(reply, await this.answerTo(request));
  }

  @ApiOperation({ summary: 'A webhook of a source, of any content type' })
  @Post(':token')
  @HttpCode(200)
  @Door(IN)
  @Direct()
  receive(@Req() request: FastifyRequest): Promise<PresetAnswer> {
    return this.answerTo(request);
  }

  private answerTo(request: FastifyRequest): Promise<PresetAnswer> {
    return this.door.receive(request.named as LiveSource, receivedOf(request));
  }
}
