// Carries TCP connections on the sandbox's loopback to a unix socket, where socat is not installed. Runs inside the sandbox.

import { connect, createServer } from 'node:net';

const [port, path] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, inside => {
  const outside = connect({ path, allowHalfOpen: true });
  inside.pipe(outside);
  outside.pipe(inside);
  inside.on('error', () => outside.destroy());
  outside.on('error', () => inside.destroy());
}).listen(Number(port), '0.0.0.0');
