// What Tab needs where the bash-completion package is not installed. Whether Tab works is seen in tests/server/practice.test.ts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RCFILE } from './rcfile.ts';

const folder = mkdtempSync(join(tmpdir(), 'rcfile-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const rcfile = join(folder, 'bashrc');
writeFileSync(rcfile, RCFILE.replaceAll('/usr/share/bash-completion', '/nonexistent'));
mkdirSync(join(folder, 'files', 'sub dir'), { recursive: true });
for (const name of ['a.yaml', 'a b.json', 'a.txt']) writeFileSync(join(folder, 'files', name), '');

const bash = (script: string) =>
  execFileSync('bash', ['--norc', '-c', `. ${rcfile} 2>/dev/null\n${script}`], {
    cwd: join(folder, 'files'),
    env: { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb' },
    encoding: 'utf8',
  });

/** Asks as a completion script does, for a line in which | is the cursor; `split` are the words as bash splits them. */
function asked(line: string, split: string[], at = split.length - 1) {
  const quote = (text: string) => `'${text}'`;
  return bash(`
    COMP_LINE=${quote(line.replace('|', ''))} COMP_POINT=${line.indexOf('|')} COMP_CWORD=${at}
    COMP_WORDS=(${split.map(quote).join(' ')})
    f() { local cur prev words cword; _get_comp_words_by_ref -n =: cur prev words cword
      printf '%s/' "$cur" "$prev" "$cword" "\${words[@]}"; }; f`);
}

test('words that bash splits at = and : are asked about whole', () => {
  assert.equal(asked('kubectl get po|', ['kubectl', 'get', 'po']), 'po/get/2/kubectl/get/po/');
  assert.equal(asked('kubectl get |', ['kubectl', 'get', '']), '/get/2/kubectl/get//');
  assert.equal(asked('kubectl -n=ku|', ['kubectl', '-n', '=', 'ku']), '-n=ku/kubectl/1/kubectl/-n=ku/');
  assert.equal(asked('kubectl -n=|', ['kubectl', '-n', '=', '']), '-n=/kubectl/1/kubectl/-n=/');
  assert.equal(
    asked('kubectl cp web:/tm|', ['kubectl', 'cp', 'web', ':', '/tm']),
    'web:/tm/cp/2/kubectl/cp/web:/tm/',
  );
  assert.equal(
    asked('kubectl get  pods = |', ['kubectl', 'get', 'pods', '=', '']),
    '/=/4/kubectl/get/pods/=//',
  );
});

test('what stands right of the cursor is not asked about', () => {
  assert.equal(
    asked('kubectl get po|ds web', ['kubectl', 'get', 'pods', 'web'], 2),
    'po/get/2/kubectl/get/pods/web/',
  );
});

test('files are offered by their endings, folders always, names with blanks whole', () => {
  const files = (how: string) =>
    bash(`cur=; f() { COMPREPLY=(); _filedir ${how}; printf '%s/' "\${COMPREPLY[@]}"; }; f`)
      .split('/')
      .filter(Boolean)
      .sort();
  assert.deepEqual(files("'json|yaml|yml|'"), ['a b.json', 'a.yaml', 'sub dir']);
  assert.deepEqual(files('-d'), ['sub dir']);
  assert.deepEqual(files(''), ['a b.json', 'a.txt', 'a.yaml', 'sub dir']);
});

test('a colon that is typed already is not typed again', () => {
  assert.equal(
    bash(
      `COMP_WORDBREAKS=: COMPREPLY=(web:/a web:/b); __ltrim_colon_completions web:/; printf '%s ' "\${COMPREPLY[@]}"`,
    ),
    '/a /b ',
  );
});

test('kubectl edit gets the editor there is, and the learner’s own choice stands', () => {
  const editor = (has: string[], chosen = '') => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const name of has) writeFileSync(join(bin, name), '#!/bin/sh\n', { mode: 0o755 });
    return bash(
      `PATH=${bin}; unset KUBE_EDITOR; ${chosen} . ${rcfile} 2>/dev/null; echo "$KUBE_EDITOR"`,
    ).trim();
  };
  assert.equal(editor(['vi', 'nano']), '');
  assert.equal(editor(['nano']), 'nano');
  assert.equal(editor(['nano'], 'EDITOR=emacs;'), '');
  assert.equal(editor([]), '');
});
