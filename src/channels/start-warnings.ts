import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DoorRegistry } from '../http/door';
import { Channels } from './channel';

/**
 * Tells at the start which channels are enabled and cannot check their senders, as their 503s are seen by the platforms alone, and which
 * ones are not read, as nothing else shows that but queues that grow.
 */
@Injectable()
export class StartWarnings implements OnApplicationBootstrap {
  private readonly logger = new Logger(StartWarnings.name);

  constructor(
    private readonly channels: Channels,
    private readonly doors: DoorRegistry,
  ) {}

  onApplicationBootstrap(): void {
    this.tellOfLacking();
    this.tellOfUnread();
  }

  private tellOfUnread(): void {
    const unread = this.channels.all().filter(({ isProcessing }) => !isProcessing);
    if (unread.length === 0) return;
    const names = unread.map(({ name }) => name).join(', ');
    this.logger.warn(`Channels whose requests stay in their queues and are not read, since processEnabled is false: ${names}`);
  }

  private tellOfLacking(): void {
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
