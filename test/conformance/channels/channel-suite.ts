import type { ChannelDescriptor } from './channel-descriptor';
import { payloadSuite } from './payload-suite';
import { refusalSuite } from './refusal-suite';
import { switchSuite } from './switch-suite';
import { vectorSuite } from './vector-suite';

/** What every channel is held to, over HTTP alone. */
export function channelSuite(descriptor: ChannelDescriptor): void {
  const { name, vectors } = descriptor;
  describe(`the channel ${name}`, () => {
    if (vectors !== undefined) describe('by its vectors', () => vectorSuite(descriptor, vectors));
    describe('with what the platform sends', () => payloadSuite(descriptor));
    describe('with what must not come in', () => refusalSuite(descriptor));
    describe('switched off', () => switchSuite(descriptor));
  });
}
