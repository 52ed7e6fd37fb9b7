import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../auth/principal';
import { Broker } from '../broker/broker';
import { GatewayError, isOutage } from '../core/errors';
import { ApiPage } from '../dispatcher/api-page';
import { BarePageQuery, type Page, pageOf } from '../http/page';
import { type Channel, type ChannelLane, Channels } from './channel';

export class LaneState {
  @ApiProperty({ example: 'default' })
  readonly name!: string;

  @ApiProperty({ example: 'webhooks.facebook.default' })
  readonly queue!: string;

  @ApiProperty({ description: 'Groups of requests in flight at once in each process' })
  readonly workerCount!: number;

  @ApiProperty({ type: Number, nullable: true, description: 'Requests that wait or are being read; null while the broker is away' })
  readonly depth!: number | null;
}

export class ChannelState {
  @ApiProperty({ example: 'facebook' })
  readonly name!: string;

  @ApiProperty({ description: 'Whether the door is open; false: 404' })
  readonly enabled!: boolean;

  @ApiProperty({ description: 'Whether the secret that webhooks are checked with is set; false: 503' })
  readonly configured!: boolean;

  @ApiProperty({ description: 'Whether accepted requests are read; false: they stay in their queues' })
  readonly processing!: boolean;

  @ApiProperty({ type: [LaneState] })
  readonly lanes!: LaneState[];

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What else there is to tell of the channel (its page says what), to admin keys; null: nothing, or the storage is away',
  })
  readonly state!: Record<string, unknown> | null;
}

export class ChannelStates {
  @ApiProperty({ type: [ChannelState] })
  readonly data!: ChannelState[];

  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

@ApiTags('channels')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/channels')
export class ChannelsController {
  constructor(
    private readonly channels: Channels,
    private readonly broker: Broker,
  ) {}

  /** By name. */
  @Get()
  @ApiPage()
  @ApiOperation({ summary: 'The state of each channel' })
  @ApiOkResponse({ type: ChannelStates })
  async list(@BarePageQuery('text') { limit, cursor }: Page, @CurrentPrincipal() principal: Principal): Promise<ChannelStates> {
    const named = this.channels.all().sort((a, b) => (a.name < b.name ? -1 : 1));
    const rest = named.filter(({ name }) => cursor === undefined || name > cursor);
    const { data, nextCursor } = pageOf(rest, limit, ({ name }) => name);
    return { data: await Promise.all(data.map((channel) => this.stateOf(channel, principal))), nextCursor };
  }

  @Get(':name')
  @ApiOperation({ summary: 'The state of a channel' })
  @ApiOkResponse({ type: ChannelState })
  async show(@Param('name') name: string, @CurrentPrincipal() principal: Principal): Promise<ChannelState> {
    const channel = this.channels.find(name);
    if (channel === undefined) throw new GatewayError('not_found', 'There is no channel of this name');
    return this.stateOf(channel, principal);
  }

  private async stateOf(channel: Channel, principal: Principal): Promise<ChannelState> {
    return {
      name: channel.name,
      enabled: channel.isEnabled,
      configured: channel.isConfigured,
      processing: channel.isProcessing,
      lanes: await Promise.all(channel.lanes.map((lane) => this.laneState(lane))),
      // It may tell of all accounts.
      state: principal.accountId === null ? await unlessAway(() => channel.state?.()) : null,
    };
  }

  private async laneState({ name, queue, workerCount }: ChannelLane): Promise<LaneState> {
    const depth = await unlessAway(() => this.broker.depth(queue));
    return { name, queue, workerCount, depth: depth?.messages ?? null };
  }
}

/** Null where there is nothing to ask for, and while what must be asked is away. */
async function unlessAway<T>(ask: () => Promise<T> | undefined): Promise<T | null> {
  try {
    return (await ask()) ?? null;
  } catch (error) {
    if (!isOutage(error)) throw error;
    return null;
  }
}
