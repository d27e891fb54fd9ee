// An HTTP server of Node: answers `/?250` after 250 ms, and closes idle connections as Node does.
import { createServer } from 'node:http';

const [address, port, keepAliveTimeout] = process.argv.slice(2);
const server = createServer((request, response) => {
  setTimeout(() => response.end('ok\n'), Number(request.url?.slice(2)) || 0);
});
server.keepAliveTimeout = Number(keepAliveTimeout);
server.listen(Number(port), address, () => process.stdout.write('listening\n'));
