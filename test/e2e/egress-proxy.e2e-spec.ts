import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';

it('a proxy in the environment is not used: it would resolve names past the guard', async () => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  const env = Object.fromEntries([...names.map((name) => [name, url]), ['NODE_USE_ENV_PROXY', '1'], ['NO_PROXY', ''], ['no_proxy', '']]);
  const receiver = await Receiver.start();
  const gateway = await Gateway.ready({ env });
  const { secret } = await gateway.subscribe(receiver.url);
  receiver.secrets = [secret];
  await gateway.must(202, 'POST', '/api/v1/events', { application: 'a', eventType: 'b', message: {} });
  expect(await gateway.settled()).toMatchObject({ delivered: 1 });
  expect(receiver.received).toMatchObject([{ verified: true }]);
  expect(connections).toBe(0);
  await gateway.remove();
  await receiver.stop();
  proxy.close();
});
