import { Agent, createServer, request as send, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from './child';

/** The target of the affinity proxy; with a port the least that could stand before it: everything is passed on, nothing is looked at. */
export interface PassingTask {
  targetPort?: number;
}

const ANSWER = 'EVENT_RECEIVED';

/** Gives a cookie to whoever has none, as a load balancer does. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume().on('end', () => {
    if (request.headers.cookie === undefined) response.setHeader('set-cookie', 'heroku-session-affinity=instance-1; Max-Age=86400; Path=/');
    response.setHeader('content-length', ANSWER.length).end(ANSWER);
  });
}

function passTo(port: number): RequestListener {
  const agent = new Agent({ keepAlive: true, noDelay: true });
  return (request, response) => {
    const { method, url, headers } = request;
    const onwards = send({ agent, host: '127.0.0.1', port, method, path: url, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    request.pipe(onwards);
  };
}

serve<PassingTask>(async ({ targetPort }) => {
  const server = createServer(targetPort === undefined ? answer : passTo(targetPort));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port };
});
