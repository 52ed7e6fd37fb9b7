// A receiver to try Hookline with: prints what arrives and whether its signature is right.
// Usage: node examples/receiver.mjs <secret of the endpoint> [port, default 9000]
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const [secret, port = '9000'] = process.argv.slice(2);
if (!secret) {
  console.error('usage: node examples/receiver.mjs <whsec_… secret of the endpoint> [port]');
  process.exit(64);
}
const webhook = new Webhook(secret);

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    try {
      const event = webhook.verify(body, request.headers);
      console.log(`verified ${event.type} ${request.headers['webhook-id']}`, body.slice(body.indexOf('"data":'), -1).slice(0, 100));
      response.writeHead(204).end();
    } catch (error) {
      console.log(`refused: ${error.message}`);
      response.writeHead(400).end();
    }
  });
})
  .on('error', (error) => {
    console.error(error.code === 'EADDRINUSE' ? `port ${port} is taken: does another receiver still run?` : error.message);
    process.exit(1);
  })
  .listen(Number(port), '127.0.0.1', () => console.log(`receiver listening on http://127.0.0.1:${port}`));
