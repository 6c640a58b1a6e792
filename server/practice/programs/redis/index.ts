// Redis: its life, its log and its port. Keeps everything in memory, as a Redis without a volume does across restarts of
// its container.

import { hasCommand, profileOf } from '../shell/profiles.ts';
import { otherCommand } from '../shell-images.ts';
import { untilAborted } from '../signals.ts';
import type { Container, Program } from '../types.ts';
import { RedisData, runCommand } from './commands.ts';
import { encode, error, type Reply, takeCommand } from './protocol.ts';

const IMAGE = 'docker.io/library/redis';
const ENTRYPOINT = 'docker-entrypoint.sh';
const SERVER = 'redis-server';
const PORT = 6379;
const MEMORY_BYTES = 10 * 1024 * 1024;

export const redis: Program = {
  image: IMAGE,
  config: {
    entrypoint: [ENTRYPOINT],
    cmd: [SERVER],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  },
  has: executable =>
    executable === ENTRYPOINT || executable === SERVER || hasCommand(profileOf(IMAGE)!, executable),
  run(container) {
    const argv = container.argv[0] === ENTRYPOINT ? container.argv.slice(1) : container.argv;
    const own = argv[0]?.startsWith('-') ? [SERVER, ...argv] : argv;
    return otherCommand({ ...container, argv: own }, [SERVER]) ?? serve(container, own);
  },
};

/** The value of `--name value`, the way Redis takes its configuration. */
const setting = (argv: readonly string[], name: string) =>
  argv.includes(`--${name}`) ? argv[argv.indexOf(`--${name}`) + 1] : undefined;

async function serve(container: Container, argv: readonly string[]): Promise<number> {
  const port = Number(setting(argv, 'port')) || PORT;
  const password = setting(argv, 'requirepass');
  const line = (text: string) => {
    const at = new Date(container.clock.now());
    container.log(
      `1:M ${at.toUTCString().slice(5, 25)}.${String(at.getUTCMilliseconds()).padStart(3, '0')} * ${text}`,
    );
  };
  container.use({ cpuMillis: 2, memoryBytes: MEMORY_BYTES });
  const data = new RedisData(() => container.clock.now());
  container.listen(port, stream => {
    let waiting = '';
    let admitted = password === undefined;
    const answer = (words: string[]): Reply => {
      if (words[0]?.toUpperCase() === 'AUTH') {
        if (password === undefined)
          return error(
            'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
          );
        admitted = words.at(-1) === password;
        return admitted
          ? { kind: 'status', text: 'OK' }
          : error('WRONGPASS invalid username-password pair or user is disabled.');
      }
      return admitted ? runCommand(words, data) : error('NOAUTH Authentication required.');
    };
    stream.onEnd(() => stream.end());
    stream.onData(chunk => {
      waiting += Buffer.from(chunk).toString('latin1');
      for (let taken = takeCommand(waiting); taken; taken = takeCommand(waiting)) {
        waiting = waiting.slice(taken.length);
        if (taken.words.length === 0) continue;
        stream.write(Buffer.from(encode(answer(taken.words)), 'latin1'));
        if (taken.words[0]?.toUpperCase() === 'QUIT') stream.end();
      }
      let bytes = MEMORY_BYTES;
      for (const [key, value] of data.values) bytes += key.length + String(value).length;
      container.use({ memoryBytes: bytes });
    });
  });
  line(`Running mode=standalone, port=${port}.`);
  line('Server initialized');
  line('Ready to accept connections tcp');
  await untilAborted(container.signal);
  if (container.signal.reason === 'SIGTERM') {
    line('User requested shutdown...');
    line('Redis is now ready to exit, bye bye...');
  }
  return container.signal.reason === 'SIGTERM' ? 0 : 137;
}
