// The course is whole: references resolve, twins agree, commands can be run, words are Taiwan's. Knows no page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blocksOf, exchangesOf } from '../../src/course/lesson-blocks.ts';
import { readCourse } from '../../src/course/read.ts';
import { languages } from '../../src/course/schema.ts';
import { structureOf, textHash } from '../../src/course/twins.ts';
import { strings as en } from '../../src/strings/client.en.ts';
import { strings as zhTW } from '../../src/strings/client.zh-TW.ts';
import { site } from '../../src/strings/site.ts';

const root = join(import.meta.dirname, '../..');
const course = readCourse(root);
const source = (file: string) => readFileSync(join(root, file), 'utf8');

/** What a mainland text would say, and what Taiwan says instead. */
const FOREIGN: Record<string, string> = {
  集群: '叢集',
  群集: '叢集',
  鏡像: '映像檔',
  镜像: '映像檔',
  調度: '排程',
  默認: '預設',
  內存: '記憶體',
  服務器: '伺服器',
  軟件: '軟體',
  硬件: '硬體',
  網絡: '網路',
  文件夾: '資料夾',
  信息: '訊息',
  用戶: '使用者',
  命令行: '命令列',
  界面: '介面',
  視頻: '影片',
  數據: '資料',
  異步: '非同步',
  緩存: '快取',
  兼容: '相容',
  支持: '支援',
  加載: '載入',
  運行: '執行',
  端口: '埠',
  接口: '介面',
  日誌: '記錄',
  文檔: '文件',
  邊車: 'sidecar',
};

const SECTIONS = {
  'zh-TW': { summary: '小結', further: '延伸閱讀', attempt: '試試看' },
  en: { summary: 'Summary', further: 'Where to read on', attempt: 'Try it' },
};

for (const lesson of course.lessons) {
  test(`${lesson.id}: both languages have the same structure`, () => {
    assert.deepEqual(structureOf(lesson.pages['zh-TW'].body), structureOf(lesson.pages.en.body));
    assert.equal(lesson.pages['zh-TW'].front.able.length, lesson.pages.en.front.able.length, 'able');
    assert.equal(lesson.pages['zh-TW'].front.needs.length, lesson.pages.en.front.needs.length, 'needs');
    assert.equal(lesson.pages['zh-TW'].front.minutes, lesson.pages.en.front.minutes, 'minutes');
    assert.equal(lesson.pages['zh-TW'].front.lab, lesson.pages.en.front.lab, 'lab');
  });

  test(`${lesson.id}: neither language is older than the other`, () => {
    const [zh, english] = [lesson.pages['zh-TW'], lesson.pages.en];
    const advice = 'bring the other language into agreement, then run: npm run content -- pair';
    assert.equal(
      zh.front.twin,
      textHash(source(english.file)),
      `${english.file} changed; ${advice} ${lesson.id}`,
    );
    assert.equal(english.front.twin, textHash(source(zh.file)), `${zh.file} changed; ${advice} ${lesson.id}`);
  });

  for (const language of languages) {
    test(`${lesson.id} (${language}): every runnable command is one line`, () => {
      for (const { command } of exchangesOf(lesson.pages[language].body)) {
        assert.equal(command.language, 'sh');
        assert.ok(command.code.trim().length > 0 && !command.code.trim().includes('\n'), command.code);
      }
    });

    test(`${lesson.id} (${language}): every block says whether it runs`, () => {
      for (const { language: of, meta, code } of blocksOf(lesson.pages[language].body)) {
        if (['sh', 'bash', 'zsh', 'shell', 'console'].includes(of))
          assert.ok(
            of === 'sh' && Boolean(meta.run) !== Boolean(meta.machine),
            `write sh run or sh machine: ${code}`,
          );
        if (of === 'text' || of === '')
          assert.equal(
            ['output', 'machine', 'quoted'].filter(name => meta[name]).length,
            1,
            `write text output (of a run), text machine or text quoted: ${code}`,
          );
      }
    });

    test(`${lesson.id} (${language}): an output follows a command that ran`, () => {
      const outputs = blocksOf(lesson.pages[language].body).filter(block => block.meta.output);
      const shown = exchangesOf(lesson.pages[language].body).filter(exchange => exchange.output);
      assert.equal(outputs.length, shown.length);
      for (const { code } of outputs) assert.ok(!/^…?$/.test(code.trim()), 'an output was never recorded');
    });

    test(`${lesson.id} (${language}): has what a lesson has`, () => {
      const { front, body } = lesson.pages[language];
      const names = SECTIONS[language];
      for (const name of [names.summary, names.further])
        assert.ok(body.includes(`\n## ${name}\n`), `a section ${name}`);
      assert.ok(
        body.includes('<Lab id=') || body.includes(`\n## ${names.attempt}\n`),
        `a lab or a section ${names.attempt}`,
      );
      assert.ok(body.includes('<Quiz>'), 'a quiz');
      assert.ok(Object.values(front.checked).some(Boolean), 'the version it was checked against');
      if (exchangesOf(body).length > 0) assert.ok(front.lab ?? front.cluster, 'where its commands run');
      if (front.lab) assert.ok(body.includes(`<Lab id="${front.lab}" />`), 'the place of its lab');
    });

    test(`${lesson.id} (${language}): each question has exactly one right choice`, () => {
      for (const [, question = ''] of lesson.pages[language].body.matchAll(
        /<Question\b([\s\S]*?)<\/Question>/g,
      ))
        assert.equal([...question.matchAll(/<Choice right\b/g)].length, 1, question);
    });
  }

  test(`${lesson.id}: the Chinese is Taiwan's`, () => {
    const text = source(lesson.pages['zh-TW'].file);
    for (const [word, ours] of Object.entries(FOREIGN))
      assert.ok(!text.includes(word), `${word}: write ${ours}`);
  });
}

test('interface words have the same places to fill in both languages', () => {
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort();
  const pairs: [string, unknown, unknown][] = [
    ...Object.keys(zhTW).map((key): [string, unknown, unknown] => [
      key,
      zhTW[key as keyof typeof zhTW],
      en[key as keyof typeof en],
    ]),
    ...Object.keys(site['zh-TW']).map((key): [string, unknown, unknown] => [
      key,
      site['zh-TW'][key as keyof (typeof site)['zh-TW']],
      site.en[key as keyof (typeof site)['en']],
    ]),
  ];
  for (const [key, ours, theirs] of pairs)
    assert.deepEqual(places(JSON.stringify(ours)), places(JSON.stringify(theirs)), key);
});

test('every lab stands in a lesson', () => {
  const placed = new Set(course.lessons.map(lesson => lesson.pages.en.front.lab));
  assert.deepEqual([...course.labs.keys()].filter(lab => !placed.has(lab)).sort(), []);
});

test('every term of the glossary is used in a lesson', () => {
  const bodies = course.lessons.map(lesson => lesson.pages['zh-TW'].body + lesson.pages.en.body).join('\n');
  for (const term of course.glossary) assert.ok(bodies.includes(`<Term id="${term.id}"`), term.id);
});
