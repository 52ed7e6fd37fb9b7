import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { Broker } from '../broker/broker';
import { GatewayError, isOutage } from '../core/errors';
import { type ChannelLane, Channels } from './channel';

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

  @Get(':name')
  @ApiOperation({ summary: 'The state of a channel' })
  @ApiOkResponse({ type: ChannelState })
  async show(@Param('name') name: string): Promise<ChannelState> {
    const channel = this.channels.find(name);
    if (channel === undefined) throw new GatewayError('not_found', 'There is no channel of this name');
    return {
      name,
      enabled: channel.isEnabled,
      configured: channel.isConfigured,
      processing: channel.isProcessing,
      lanes: await Promise.all(channel.lanes.map((lane) => this.stateOf(lane))),
    };
  }

  private async stateOf({ name, queue, workerCount }: ChannelLane): Promise<LaneState> {
    try {
      return { name, queue, workerCount, depth: (await this.broker.depth(queue)).messages };
    } catch (error) {
      if (!isOutage(error)) throw error;
      return { name, queue, workerCount, depth: null };
    }
  }
}
