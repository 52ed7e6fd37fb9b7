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
    const lacking = this.channels.all().flatMap(({ name, isEnabled }) => {
      const missing = isEnabled ? this.missingOf(name) : undefined;
      return missing === undefined ? [] : [`${name} (docs/channels/${name}.md) ${missing}`];
    });
    if (lacking.length > 0) this.logger.warn(`Channels that answer 503 until they are set up: ${lacking.join(', ')}`);
  }

  /** What is answered so, for want of what; undefined where all is set. */
  private missingOf(channel: string): string | undefined {
    const [webhooks, handshake] = ['POST', 'GET'].map((method) => this.doors.missingSetting(channel, method));
    if (webhooks === handshake) return webhooks && `without ${webhooks}`;
    const parts = [webhooks && `to webhooks without ${webhooks}`, handshake && `to the handshake without ${handshake}`];
    return parts.filter((part) => part !== undefined).join(' and ');
  }
}
