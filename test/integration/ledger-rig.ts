import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker';
import type { Broker } from '../../src/broker/broker';
import { TOPOLOGY } from '../../src/broker/topology';
import { type Channel, Channels } from '../../src/channels/channel';
import { Backlog } from '../../src/dispatcher/delivery/backlog';
import { OperationalEvents } from '../../src/dispatcher/operational/operational-events';
import { DoorCheck } from '../../src/ledger/door-check';
import { type BalanceState, LedgerCheck, NOTHING_CHECKED } from '../../src/ledger/ledger-check.service';
import { Reconciler, type ReconcilerState } from '../../src/ledger/reconciler.service';
import { Repairs } from '../../src/ledger/repairs';
import type { EngineUnderTest } from '../conformance/storage/engines';
import { DispatchRig } from './dispatch-rig';

const LANE = 'webhooks.facebook.default';

const FACEBOOK: Channel = {
  name: 'facebook',
  isEnabled: true,
  isConfigured: true,
  isProcessing: true,
  lanes: [{ name: 'default', queue: LANE, workerCount: 1 }],
  parse: () => [],
};

/** The ledger's check and the reconciler over a database of their own, on a clock that the test turns. */
export class LedgerRig {
  nowMs = Date.now();
  private balance: BalanceState = NOTHING_CHECKED;
  private walked: ReconcilerState = {};

  private constructor(
    readonly dispatch: DispatchRig,
    readonly check: LedgerCheck,
    readonly reconciler: Reconciler,
    private readonly release: () => Promise<void>,
  ) {}

  static async create(engine: EngineUnderTest, broker?: Broker): Promise<LedgerRig> {
    const dispatch = await DispatchRig.create(engine);
    const folder = await mkdtemp(join(tmpdir(), 'hookline-ledger-'));
    const used = broker ?? new EmbeddedBroker(join(folder, 'broker.db'), TOPOLOGY);
    const { storage, registry, metrics, dispatcher, ledger } = dispatch;
    const channels = new Channels();
    channels.register(FACEBOOK);
    const repairs = new Repairs(metrics);
    const door = new DoorCheck(channels, used, storage, dispatcher, repairs);
    await registry.ensureLoaded();
    const events = new OperationalEvents(storage, registry, new Backlog());
    const check = new LedgerCheck(storage, ledger, door, repairs, events);
    const reconciler = new Reconciler(storage, registry, repairs, metrics, { days: 30 });
    return new LedgerRig(dispatch, check, reconciler, async () => {
      await used.close();
      await dispatch.close();
      await rm(folder, { recursive: true, force: true });
    });
  }

  close(): Promise<void> {
    return this.release();
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  async checkNow(): Promise<BalanceState> {
    // As it is kept between two turns.
    this.balance = JSON.parse(JSON.stringify(await this.check.check(this.balance, this.nowMs))) as BalanceState;
    return this.balance;
  }

  /** Looks at everything, also at what was made this very moment. */
  async reconcile(): Promise<void> {
    const state = await this.reconciler.look(this.walked, Date.now() + 120_000);
    this.walked = JSON.parse(JSON.stringify({ ...state, deliveries: undefined, events: undefined })) as ReconcilerState;
  }

  /** What was repaired, by kind. */
  async repaired(): Promise<Record<string, number>> {
    const { values } = await this.dispatch.metrics.repairs.get();
    return Object.fromEntries(values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.kind as string, value]));
  }
}
