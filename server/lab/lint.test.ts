import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { lintLab } from './lint.ts';
import { newLab } from './new-lab.ts';

const labs = mkdtempSync(join(tmpdir(), 'lint-'));
after(() => rmSync(labs, { recursive: true, force: true }));

/** What is wrong with the lab that `labs -- new` makes, after these files of it became others (undefined: gone). */
function problems(changes: Record<string, string | undefined | ((text: string) => string)>): string {
  const folder = join(labs, 'new');
  rmSync(folder, { recursive: true, force: true });
  const files: Record<string, string> = newLab();
  for (const [file, change] of Object.entries(changes)) {
    if (change === undefined) delete files[file];
    else files[file] = typeof change === 'string' ? change : change(files[file] ?? '');
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return lintLab(labs, 'new').join('\n');
}

const EXPECT = 'mistakes/other-text/expect.yaml';
const question = (answer: string) => (text: string) =>
  text.replace(
    / {6}- resource:[\s\S]*/,
    `      - answer: { prompt: { zh-TW: 哪一個？, en: Which? }, ${answer} }\n`,
  );

test('the lab that new makes has nothing wrong with it, with Windows line ends too', () => {
  assert.equal(problems({}), '');
  assert.equal(problems({ 'lab.yaml': text => text.replaceAll('\n', '\r\n') }), '');
});

for (const [what, change, says] of [
  [
    'an unknown key',
    (s: string) => `${s}author: me\n`,
    /lab\.yaml:\d+: author: the key author is not known here; known are title, summary/,
  ],
  [
    'a number too small',
    (s: string) => s.replace('minutes: 5', 'minutes: 0'),
    /:\d+: minutes: must be at least 1, found 0/,
  ],
  [
    'a language missing',
    (s: string) => s.replace('  en: A first ConfigMap\n', ''),
    /title\.en: is missing \(string\); the right form is title: \{/,
  ],
  [
    'a text in the wrong language',
    (s: string) => s.replace('zh-TW: 指令是', 'zh-TW: The command is'),
    /steps\[0\]\.hints\[0\]\.zh-TW: is not Chinese: The command/,
  ],
  [
    'Chinese in the English text',
    (s: string) => s.replace('en: The command is', 'en: 指令'),
    /hints\[0\]\.en: is not English/,
  ],
  [
    'tabs',
    (s: string) => s.replace('  zh-TW: 第一個', '\tzh-TW: 第一個'),
    /lab\.yaml:3: Tabs are not allowed as indentation$/m,
  ],
  [
    'a backtick that nothing quotes, with all that follows from it',
    (s: string) => s.replace('zh-TW: 指令是', 'zh-TW: `a: b` 是'),
    /^[^\n]*lab\.yaml:\d+: Nested mappings are not allowed in compact mappings$/,
  ],
  [
    'aliases without end',
    (s: string) =>
      `${s}x: &a [1,2,3,4,5,6,7,8,9]\ny: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nw: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    /Excessive alias count/,
  ],
  [
    'a baseline that is not there',
    (s: string) => s.replace('minutes: 5', 'minutes: 5\ncluster: { baseline: nope }'),
    /cluster\.baseline: there is no baseline nope; there are empty,/,
  ],
  [
    'a manifest that is not there',
    (s: string) => s.replace('minutes: 5', 'minutes: 5\nsetup: [{ apply: setup/x.yaml }]'),
    /setup\[0\]\.apply: names setup\/x\.yaml, which is not there/,
  ],
  [
    'a choice with the id of another',
    question(
      'choices: [{ id: a, text: { zh-TW: 甲, en: A }, right: true }, { id: a, text: { zh-TW: 乙, en: B }, right: true }]',
    ),
    /choices\[1\]\.id: "a" is the id of a choice before it/,
  ],
  [
    'a wrong choice without a word',
    question(
      'choices: [{ id: a, text: { zh-TW: 甲, en: A }, right: true }, { id: b, text: { zh-TW: 乙, en: B }, right: false }]',
    ),
    /choices\[1\]: is wrong and does not say why/,
  ],
  ['a number that is none', question('equals: many, as: number'), /answer\.equals: "many" is no number/],
] as [string, (text: string) => string, RegExp][])
  test(`${what} is refused, with its place and the right form`, () => {
    assert.match(problems({ 'lab.yaml': change }), says);
  });

for (const [what, changes, says] of [
  [
    'a mistake without its expectation',
    { [EXPECT]: undefined },
    /expect\.yaml: is missing; a mistake is do\.sh and expect\.yaml/,
  ],
  ['an expectation that is no YAML', { [EXPECT]: 'a: [\n' }, /expect\.yaml:2: Flow sequence[^\n]*\]\n/],
  [
    'an unknown key in an expectation',
    { [EXPECT]: (s: string) => `${s}foo: 1\n` },
    /foo is not known here; known are step, check, says/,
  ],
  [
    'an expectation for a step that is not there',
    { [EXPECT]: (s: string) => s.replace('make-it', 'made') },
    /names the step made, which this lab does not have; it has make-it/,
  ],
  [
    'an expectation editors do not know',
    { [EXPECT]: (s: string) => s.replace(/^.*\n/, '') },
    /expect\.yaml:1: line one must be/,
  ],
  ['a mistake that does nothing', { 'mistakes/other-text/do.sh': '\n' }, /do\.sh: is empty/],
  [
    'a solution with a misspelt answer',
    { 'solution/01-make-it.sh': '#answer: a=1\n' },
    /01-make-it\.sh:1: "#answer: a=1" gives no answer; the right form is/,
  ],
  ['a file nothing refers to', { 'notes.txt': 'x' }, /notes\.txt: is not referred to by anything/],
  [
    'a manifest that is no object',
    {
      'setup/x.yaml': 'hello\n',
      'lab.yaml': (s: string) => s.replace('minutes: 5', 'minutes: 5\nsetup: [{ apply: setup/x.yaml }]'),
    },
    /x\.yaml: holds "hello", which is no object/,
  ],
  [
    'a manifest that is no YAML',
    {
      'setup/x.yaml': 'a: [\n',
      'lab.yaml': (s: string) => s.replace('minutes: 5', 'minutes: 5\nsetup: [{ apply: setup/x.yaml }]'),
    },
    /x\.yaml: line 2: Flow sequence/,
  ],
] as [string, Parameters<typeof problems>[0], RegExp][])
  test(`${what} is refused`, () => {
    assert.match(problems(changes), says);
  });

test('a link is refused, wherever it leads', () => {
  problems({});
  symlinkSync('/etc/hostname', join(labs, 'new/stray'));
  assert.match(lintLab(labs, 'new').join('\n'), /new\/stray: is a link; a lab holds its files itself/);
});
