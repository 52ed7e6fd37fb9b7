import { eventually } from './eventually';
import type { FacebookSender } from './facebook-sender';
import type { Receiver } from './receiver';

/** Items that the platform was told are accepted and that have not arrived. */
export function missingItems(sender: FacebookSender, receiver: Receiver): string[] {
  const arrived = new Set(receiver.bodies.map((body) => body.data.message.mid as string));
  return [...sender.accepted].filter((id) => !arrived.has(id));
}

/** Waits until every accepted item has arrived. */
export async function nothingIsLost(sender: FacebookSender, receiver: Receiver, deadlineMs = 60_000): Promise<void> {
  const ask = (): boolean => {
    const missing = missingItems(sender, receiver);
    if (missing.length > 0)
      throw new Error(`${missing.length} of ${sender.accepted.size} accepted items are missing, such as ${missing[0]}`);
    return true;
  };
  await eventually('every accepted item has arrived', ask, { deadlineMs, everyMs: 200 });
}
