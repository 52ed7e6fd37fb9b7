import type { Channel, ChannelModel } from 'amqplib';
import { BrokerTopologyError, type TopologyProblem } from '../broker-topology-error';
import { deadQueueOf, REDELIVERY_LIMIT, type Topology } from '../topology';
import { within } from './within';

const ANSWER_TIMEOUT_MS = 5_000;
const PRECONDITION_FAILED = 406;
/** Since 4.0 a quorum queue without a limit gets one of 20, after which messages of a dead queue would be dropped. */
const DEAD_DELIVERY_LIMIT = 1_000_000;

/**
 * Both of the strategy and the overflow rule are needed: without either the broker may drop what it has confirmed, when
 * it moves a message to the dead queue or when a length limit is reached.
 */
export const queueArguments = (queue: string): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-delivery-limit': REDELIVERY_LIMIT,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': deadQueueOf(queue),
});

export const deadQueueArguments = (): Record<string, unknown> => ({
  'x-queue-type': 'quorum',
  'x-delivery-limit': DEAD_DELIVERY_LIMIT,
  'x-overflow': 'reject-publish',
});

/** `accepted`: what is known to be there with another value. */
type Step = (channel: Channel, accepted: Readonly<Record<string, unknown>>) => Promise<unknown>;
/** RabbitMQ names one argument at a time. */
const MOST_PROBLEMS_PER_QUEUE = 10;

/**
 * Declares what is missing. Everything is idempotent and nothing is ever deleted or changed.
 * @throws BrokerTopologyError naming everything that is there with other arguments.
 */
export async function declareTopology(model: ChannelModel, topology: Topology): Promise<void> {
  const problems: TopologyProblem[] = [];
  const line: { channel?: Channel | undefined } = {};
  for (const step of stepsOf(topology)) problems.push(...(await declare(model, line, step)));
  if (problems.length > 0) throw new BrokerTopologyError(problems);
  await line.channel?.close().catch(() => undefined);
}

/** Runs one step. What does not fit is accepted as found and the step run again, to learn of everything that does not fit. */
async function declare(model: ChannelModel, line: { channel?: Channel | undefined }, step: Step): Promise<TopologyProblem[]> {
  const problems: TopologyProblem[] = [];
  const accepted: Record<string, unknown> = {};
  while (problems.length < MOST_PROBLEMS_PER_QUEUE) {
    try {
      line.channel ??= await openChannel(model);
      await within(ANSWER_TIMEOUT_MS, 'declaring queues', step(line.channel, accepted));
      break;
    } catch (error) {
      line.channel = undefined; // the broker has closed it
      const problem = problemOf(error);
      if (problem === undefined && problems.length === 0) throw error;
      if (problem === undefined || problem.argument in accepted) break;
      problems.push(problem);
      accepted[problem.argument] = valueOf(problem.found);
    }
  }
  return problems;
}

function stepsOf({ exchanges, queues, bindings }: Topology): Step[] {
  const queue = (name: string, wanted: Record<string, unknown>): Step => {
    return async (channel, accepted) => channel.assertQueue(name, { durable: true, arguments: { ...wanted, ...accepted } });
  };
  return [
    ...exchanges.map(
      ({ name, type }): Step =>
        async (channel) =>
          channel.assertExchange(name, type, { durable: true }),
    ),
    ...queues.map((name) => queue(deadQueueOf(name), deadQueueArguments())),
    ...queues.map((name) => queue(name, queueArguments(name))),
    ...bindings.map(
      (binding): Step =>
        async (channel) =>
          channel.bindQueue(binding.queue, binding.exchange, binding.pattern),
    ),
  ];
}

/** `none` is an argument that was not given. */
function valueOf(found: string): unknown {
  if (found === 'none') return undefined;
  return /^\d+$/.test(found) ? Number(found) : found;
}

async function openChannel(model: ChannelModel): Promise<Channel> {
  const channel = await within(ANSWER_TIMEOUT_MS, 'opening a channel', model.createChannel());
  channel.on('error', () => undefined); // the failing request rejects as well
  return channel;
}

const INEQUIVALENT = /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '[^']*': received (.+) but current is (.+?)"?$/;

/** Reads what RabbitMQ says of an argument that differs; undefined for any other failure. */
export function problemOf(error: unknown): TopologyProblem | undefined {
  if (!(error instanceof Error) || (error as Error & { code?: number }).code !== PRECONDITION_FAILED) return undefined;
  const [, argument, kind, name, wanted, found] = INEQUIVALENT.exec(error.message) ?? [];
  if (argument === undefined || name === undefined || wanted === undefined || found === undefined) return undefined;
  return { kind: kind === 'exchange' ? 'exchange' : 'queue', name, argument, wanted: plain(wanted), found: plain(found) };
}

/** `the value 'quorum' of type 'longstr'` → `quorum`. */
const plain = (text: string): string => /^(?:the value )?'(.*?)'/.exec(text)?.[1] ?? text;
