export interface TopologyProblem {
  kind: 'queue' | 'exchange';
  name: string;
  argument: string;
  found: string;
  wanted: string;
}

/** The broker holds a queue or exchange of ours with other arguments. The program must not start; nothing was changed. */
export class BrokerTopologyError extends Error {
  override readonly name = 'BrokerTopologyError';

  constructor(readonly problems: readonly TopologyProblem[]) {
    const lines = problems.map(
      ({ kind, name, argument, found, wanted }) =>
        `The ${kind} ${name} exists with ${argument} ${shown(found)}, wanted is ${shown(wanted)}.`,
    );
    super([...lines, 'Nothing was changed. Empty and delete it by hand, or give the gateway a virtual host of its own.'].join('\n'));
  }
}

const shown = (value: string): string => (value === '' ? '""' : value);
