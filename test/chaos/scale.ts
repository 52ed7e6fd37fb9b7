/** `npm run test:chaos`; without it the short form, which is part of `npm test` and takes under five minutes. */
export const IS_FULL = process.env.CHAOS === 'full';

/** Every figure of the suite. docs/reliability.md says which test uses which. */
const FIGURES = {
  /** 1: requests in a second, minutes, and by how much memory may grow in the last half. */
  steady: { short: { perSecond: 100, minutes: 0.1, growthMiB: 60 }, full: { perSecond: 300, minutes: 10, growthMiB: 50 } },
  /** 2: events sent as fast as they are taken. */
  burstEvents: { short: 3_000, full: 20_000 },
  /** 3: how often, and how long it runs in between. */
  gatewayKills: { short: { count: 3, afterMs: [100, 2_000] }, full: { count: 40, afterMs: [5_000, 15_000] } },
  /** 4 */
  brokerKills: { short: 1, full: 10 },
  /** 6: seconds without a packet, to the broker and to PostgreSQL. */
  stallSeconds: { short: 8, full: 60 },
  /** Beside 4: PostgreSQL killed and started again; seconds that it stays away once. */
  postgresRestarts: { short: 2, full: 10 },
  postgresAwaySeconds: { short: 6, full: 600 },
  /** Beside 3: kills of either of two replicas. */
  replicaKills: { short: 2, full: 20 },
  /** 11 */
  sigtermRounds: { short: 1, full: 20 },
  /** 11: milliseconds that a receiver takes, so that deliveries are under way at each SIGTERM. */
  sigtermAnswerMs: { short: 500, full: 5_000 },
  /** 13: deliveries due soon behind one that is due in an hour. */
  behindParked: { short: 200, full: 1_000 },
  /** 14 */
  exhausted: { short: 50, full: 200 },
  /** 16: events to the endpoint that hangs, and to its neighbour. */
  noisy: { short: { events: 2_000, neighbours: 20 }, full: { events: 20_000, neighbours: 200 } },
  /** 17: endpoints that are down, and events that wait for them. */
  storm: { short: { endpoints: 20, events: 40 }, full: { endpoints: 50, events: 200 } },
  /** Beside 17: what the neighbour gets while two endpoints are down. */
  circuitNeighbours: { short: 300, full: 10_000 },
  /** 18: deliveries to each kind of receiver. */
  hostileEach: { short: 3, full: 20 },
  /** 19: connections that send a byte now and then. */
  slowSockets: { short: 60, full: 500 },
  /** 21 */
  mutations: { short: 2_000, full: 20_000 },
  /** 22: the same event at once. */
  sameAtOnce: { short: 100, full: 100 },
  /** 23: of each endpoint's secret. */
  rotations: { short: 1, full: 5 },
  /** 24: times that the disk is full. */
  diskFullRounds: { short: 1, full: 5 },
  /** 25: minutes; `SOAK_MINUTES` says otherwise. */
  soakMinutes: { short: 0.4, full: 60 },
} as const;

type Figures = typeof FIGURES;

/** The figures of this run. */
export const SCALE = Object.fromEntries(Object.entries(FIGURES).map(([name, figure]) => [name, IS_FULL ? figure.full : figure.short])) as {
  readonly [Name in keyof Figures]: Figures[Name]['short'] | Figures[Name]['full'];
};
