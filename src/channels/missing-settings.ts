import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DoorRegistry } from '../http/door';
import { Channels } from './channel';

/** Tells at the start of each channel that is enabled and cannot check its senders: its 503s are seen by the platform alone. */
@Injectable()
export class MissingSettings implements OnApplicationBootstrap {
  private readonly logger = new Logger(MissingSettings.name);

  constructor(
    private readonly channels: Channels,
    private readonly doors: DoorRegistry,
  ) {}

  onApplicationBootstrap(): void {
    for (const { name, isEnabled } of this.channels.all()) {
      if (!isEnabled) continue;
      for (const setting of this.missingOf(name)) {
        this.logger.warn(`${setting} is not set: the channel ${name} answers 503 where it needs it. See docs/channels/${name}.md`);
      }
    }
  }

  private missingOf(channel: string): Set<string> {
    const settings = ['POST', 'GET'].map((method) => this.doors.missingSetting(channel, method));
    return new Set(settings.filter((setting) => setting !== undefined));
  }
}
