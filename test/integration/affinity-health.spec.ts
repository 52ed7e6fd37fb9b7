import { TerminusModule, HealthIndicatorService } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { AffinityHealth } from '../../src/health/affinity-health';
import { ENGINES } from '../conformance/storage/engines';
import { Proxy, Target } from './affinity-rig';

it('the proxy is up, degraded while its sessions cannot be read, and down without its port', async () => {
  const place = await ENGINES[0]!.place();
  const [storage, target] = [await place.open(), await Target.start()];
  const proxy = await Proxy.start(storage, target.url);
  // A new one each time: an answer is kept for a second.
  const health = async (): Promise<unknown> => {
    const module = await Test.createTestingModule({ imports: [TerminusModule] }).compile();
    return new AffinityHealth(module.get(HealthIndicatorService), proxy.server, proxy.sessions).check();
  };

  expect(await health()).toEqual({ affinity: { status: 'up' } });
  await storage.close();
  expect(await health()).toEqual({ affinity: { status: 'up', degraded: 'sessions cannot be read' } });
  await proxy.stop();
  expect(await health()).toEqual({ affinity: { status: 'down', reason: 'its port is not open' } });

  await target.stop();
  await place.release();
});
