import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import { TcpProxy } from '../support/tcp-proxy';
import { routeOf } from './items';
import { Rig } from './rig';
import { SCALE } from './scale';

/** 40 deliveries a second to each of the two that go down: with their retries 50 attempts have failed within a second or two. */
const LOAD = { requestsPerSecond: 50, parallel: 20, itemsPerRequest: 2, restSenders: 4 };
/** Attempts that one endpoint may get while its circuit is open: probes, and what was under way when it opened. */
const FEW = 20;

describe.each(ENGINE_SETS)('Endpoints that go down under load, on %s', (set) => {
  let rig: Rig;
  let proxy: TcpProxy | undefined;

  beforeAll(async () => {
    const urlOf = async (name: string, url: string): Promise<string> => {
      if (name !== 'c') return url;
      const inFront = await TcpProxy.inFrontOf(url);
      proxy = inFront.proxy;
      return inFront.url;
    };
    rig = await Rig.start({ engines: set, urlOf });
  });
  afterAll(async () => {
    await rig?.close();
    await proxy?.stop();
  });

  const circuitsOpen = (): Promise<number> => rig.gateway.metric('hookline_circuits_open');

  it(`one that says 503, one whose connections are cut: ${SCALE.circuitNeighbours} pass beside them, none is lost when they are back`, async () => {
    const { sender } = rig;
    const { a, b, c } = rig.receivers;
    sender.startLoad(LOAD);
    await rig.moreArrive(100);
    b.receiver.answer = () => ({ status: 503 });
    proxy?.cut();
    await eventually('both circuits are open', async () => (await circuitsOpen()) === 2, { deadlineMs: 30_000 });

    rig.judge(); // books what has come
    const before = { a: a.total, refused: b.refused, c: c.total };
    const more = (): number => (rig.judge(), a.total - before.a);
    await eventually('the neighbour gets what it is sent', () => more() >= SCALE.circuitNeighbours, { deadlineMs: 300_000 });
    const accepted = [...sender.sent].flatMap(([id, { accepted: count }]) => (count > 0 && routeOf(id)?.endpoints.length ? [id] : []));
    await eventually('the neighbour has all that is accepted', () => more() > 0 && accepted.every((id) => a.items.has(id)));
    expect(await circuitsOpen()).toBe(2);
    expect(b.refused - before.refused).toBeLessThan(FEW);
    expect(c.total).toBe(before.c);

    b.receiver.answer = () => ({ status: 204 });
    proxy?.restore();
    await eventually('both circuits are closed', async () => (await circuitsOpen()) === 0, { deadlineMs: 90_000 });
    await sender.stopLoad();
    await rig.expectNothingLost(`${set}, ${b.refused} attempts refused, ${more()} passed beside them`);
  }, 500_000);
});
