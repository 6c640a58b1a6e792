// Opens the ports of the cluster's node on its address inside the sandbox, and closes those that the cluster closes. Runs
// inside the sandbox; what is open is told by the cluster's socket, and every connection goes there.

import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Until a port that one of the learner's programs holds is tried again, in milliseconds. */
const AGAIN = 500;

const [address, path] = process.argv.slice(2);
/** By port. */
const servers = new Map();

function open(port) {
  const server = createServer({ allowHalfOpen: true }, inside => {
    const outside = connect({ path, allowHalfOpen: true });
    outside.write(`${port}\n`);
    inside.pipe(outside);
    outside.pipe(inside);
    inside.on('error', () => outside.destroy());
    // Nobody answers any more: refused, as far as one can who has been let in.
    outside.on('error', () => inside.resetAndDestroy());
  });
  server.on('error', () =>
    setTimeout(() => servers.get(port) === server && server.listen(port, address), AGAIN),
  );
  servers.set(port, server);
  server.listen(port, address);
}

const told = connect(path);
told.write('open\n');
told.on('error', () => process.exit(1));
told.on('close', () => process.exit());
createInterface({ input: told }).on('line', line => {
  const wanted = new Set(line.split(' ').filter(Boolean).map(Number));
  for (const [port, server] of servers) {
    if (wanted.has(port)) continue;
    servers.delete(port);
    server.close();
  }
  for (const port of wanted) if (!servers.has(port)) open(port);
});
