// Connections that last: a server of Node with server-sent events (/events), an upgraded connection on which both sides talk when they
// like (/socket), and plain requests; and a client that keeps one of each, and one that never says anything.
import { Agent, createServer, request } from 'node:http';
import { connect } from 'node:net';

const [what, address, port] = process.argv.slice(2);
const where = { host: address, port: Number(port) };

function serve() {
  const server = createServer((asked, answer) => {
    if (asked.url !== '/events') return answer.end('ok\n');
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    setInterval(() => answer.write('data: 1\n\n'), 500);
  });
  server.keepAliveTimeout = 600_000;
  server.on('upgrade', (_asked, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
    socket.on('data', () => {});
    setInterval(() => socket.write('from the server'), 1100);
  });
  server.listen(where.port, where.host, () => process.stdout.write('ready\n'));
}

async function ask() {
  const answered = (options) =>
    new Promise((resolve, reject) => {
      const asked = request({ ...where, ...options });
      asked
        .on('error', reject)
        .on('response', resolve)
        .on('upgrade', (_answer, socket) => resolve(socket));
      asked.end();
    });
  (await answered({ path: '/events', agent: false })).on('data', () => {});
  const socket = await answered({
    path: '/socket',
    agent: false,
    headers: { connection: 'Upgrade', upgrade: 'chat' },
  });
  setInterval(() => socket.write('from the client'), 700);
  socket.on('data', () => {});
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  setInterval(async () => (await answered({ path: '/', agent })).resume(), 400);
  connect(where.port, where.host, () => process.stdout.write('ready\n'));
}

if (what === 'serve') serve();
else await ask();
