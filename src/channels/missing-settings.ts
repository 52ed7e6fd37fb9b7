import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DoorRegistry } from '../http/door';
import { Channels } from './channel';

/** Tells at the start which channels are enabled and cannot check their senders: their 503s are seen by the platforms alone. */
@Injectable()
export class MissingSettings implements OnApplicationBootstrap {
  private readonly logger = new Logger(MissingSettings.name);

  constructor(
    private readonly channels: Channels,
    private readonly doors: DoorRegistry,
  ) {}

  onApplicationBootstrap(): void {
    const lacking: string[] = [];
    for (const { name, isEnabled } of this.channels.all()) {
      const missing = isEnabled ? [...this.missingOf(name)] : [];
      if (missing.length > 0) lacking.push(`${name} (docs/channels/${name}.md) without ${missing.join(' and ')}`);
    }
    if (lacking.length > 0) this.logger.warn(`Channels that answer 503 until they are set up: ${lacking.join(', ')}`);
  }

  private missingOf(channel: string): Set<string> {
    const settings = ['POST', 'GET'].map((method) => this.doors.missingSetting(channel, method));
    return new Set(settings.filter((setting) => setting !== undefined));
  }
}
