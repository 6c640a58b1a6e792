// Carries connections on a unix socket to a port of the sandbox's loopback. Runs inside the sandbox's network and nothing else of
// it: the socket lies where no shell can reach it. Ends when its standard input does.

import { connect, createServer } from 'node:net';

const [path, port] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, outside => {
  const inside = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
  outside.pipe(inside);
  inside.pipe(outside);
  outside.on('error', () => inside.destroy());
  inside.on('error', () => outside.destroy());
}).listen(path, () => console.log('ready'));
process.stdin.on('end', () => process.exit()).resume();
