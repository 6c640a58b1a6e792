import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { realClock } from '../clock.ts';
import { newLab } from './new-lab.ts';
import { watchLabs } from './watch.ts';

function desk(t: TestContext, ids: string[] = []) {
  const labs = mkdtempSync(join(tmpdir(), 'watch-'));
  const save = (path: string, text: string) => {
    mkdirSync(dirname(join(labs, path)), { recursive: true });
    writeFileSync(join(labs, path), text);
  };
  for (const [path, text] of Object.entries(newLab())) {
    save(`one/${path}`, text);
    save(`two/${path}`, text);
  }
  const said: string[] = [];
  const proved: string[] = [];
  const clock = realClock();
  const answers: Record<string, string[]> = {};
  const stop = watchLabs({
    labs,
    ids,
    clock,
    say: line => void said.push(line),
    prove: async id => {
      proved.push(id);
      return answers[id] ?? [];
    },
  });
  t.after(async () => {
    await stop();
    rmSync(labs, { recursive: true, force: true });
  });
  const until = async (line: RegExp) => {
    for (let round = 0; round < 200; round++) {
      if (said.some(one => line.test(one))) return;
      await clock.sleep(25);
    }
    assert.fail(`${line} was not said: ${said.join('\n')}`);
  };
  return { save, said, proved, answers, until, clock };
}

const LAB = newLab()['lab.yaml'] as string;

test('a saved lab is linted, and proved once nothing is wrong with it', { timeout: 20_000 }, async t => {
  const { save, proved, answers, until } = desk(t);
  save('one/lab.yaml', LAB.replace('minutes: 5', 'minutes: soon'));
  await until(/✖ labs\/one\/lab\.yaml:\d+: minutes: /);
  assert.deepEqual(proved, []);
  answers['one'] = ['step make-it is too loose'];
  save('one/lab.yaml', LAB);
  await until(/✖ one: step make-it is too loose/);
  delete answers['one'];
  save('one/solution/01-make-it.sh', 'kubectl create configmap greeting --from-literal=text=hello\n');
  await until(/✔ one is proven/);
  assert.deepEqual(proved, ['one', 'one']);
});

test('only the labs that were asked for are looked after', { timeout: 20_000 }, async t => {
  const { save, proved, until, clock } = desk(t, ['two']);
  save('one/lab.yaml', LAB);
  await clock.sleep(400);
  save('two/lab.yaml', LAB);
  await until(/✔ two is proven/);
  assert.deepEqual(proved, ['two']);
});
