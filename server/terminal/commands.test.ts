import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../clock.ts';
import { createCommandLog, plainText } from './commands.ts';
import type { CommandRun } from './types.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'));

test('a command is reported when it starts, while it prints (throttled), and when it ends', async () => {
  const clock = fakeClock(1000);
  const log = createCommandLog(clock);
  const reports: CommandRun[] = [];
  log.subscribe(run => reports.push({ ...run }));
  const running = log.begin('t1', 'kubectl get pods', '/home/learner');
  for (let i = 0; i < 50; i++) running.print(bytes(`line ${i}\r\n`));
  await clock.advance(100);
  running.end(1);
  assert.equal(reports.length, 3);
  assert.deepEqual(
    { ...reports[0], output: undefined },
    {
      id: '1',
      terminal: 't1',
      line: 'kubectl get pods',
      cwd: '/home/learner',
      startedAt: 1000,
      output: undefined,
    },
  );
  assert.match(reports[1]!.output, /^line 0\nline 1\n[\s\S]*line 49\n$/);
  assert.equal(reports[1]!.endedAt, undefined);
  assert.equal(reports[2]!.exit, 1);
  assert.equal(reports[2]!.endedAt, 1100);
  assert.equal(log.recent().length, 1);
});

test('of a long output the end is kept, of many commands the last', () => {
  const log = createCommandLog(fakeClock());
  const flood = log.begin('t1', 'yes', '/');
  for (let i = 0; i < 1000; i++) flood.print(bytes('y\r\n'.repeat(1000)));
  flood.print(bytes('the end\r\n'));
  flood.end(130);
  assert.ok(log.recent()[0]!.output.length <= 64 * 1024);
  assert.match(log.recent()[0]!.output, /the end\n$/);
  for (let i = 0; i < 400; i++) log.begin('t1', `echo ${i}`, '/').end(0);
  assert.equal(log.recent().length, 300);
  assert.equal(log.recent().at(-1)?.line, 'echo 399');
});

test('a character cut in two by a chunk’s end stays whole', () => {
  const log = createCommandLog(fakeClock());
  const running = log.begin('t1', 'cat', '/');
  for (const byte of bytes('閘道\r\n')) running.print(new Uint8Array([byte]));
  running.end(0);
  assert.equal(log.recent()[0]!.output, '閘道\n');
});

test('plain text is what a reader sees', () => {
  assert.equal(
    plainText('\x1b[1;31mred\x1b[0m\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b(Bok\r\n'),
    'redlink ok\n',
  );
  assert.equal(plainText('10%\r50%\r100%\r\ndone\x07\r\n'), '100%\ndone\n');
});
