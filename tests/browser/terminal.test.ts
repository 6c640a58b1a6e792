// The terminal as a learner's hands know it: copy and paste, and a server that is started again, with a real server and a real
// shell behind the page. The cluster is a stand-in: nothing here is about Kubernetes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright';
import type { Language } from '../../src/common/protocol/index.ts';
import { helloProvider, listeningLab } from '../support/fake-parts.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { buildSite, findChromium, openBrowser, openPage, overflow, picture } from './support.ts';

const chromium = findChromium();
const skip = 'missing' in chromium ? chromium.missing : false;
const site = skip ? '' : buildSite();
const path = (language: Language) => `/${language}/troubleshoot/gateway-pending/`;

/** What a forwarded program might try: it shows who opened it, which cookies it sees, and whether it reads our server. */
const SERVE = `#!/bin/sh
exec "$KBD_NODE" -e '
require("http").createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<pre id=told></pre><script>(async () => {" +
    "const ours = new URLSearchParams(location.search).get(\\"ours\\");" +
    "const read = ours ? await fetch(ours + \\"/api/status\\", { credentials: \\"include\\" }).then(a => a.status, e => e.name) : 0;" +
    "told.textContent = JSON.stringify({ opener: opener === null, cookies: document.cookie, sent: " +
    JSON.stringify(request.headers.cookie ?? "") + ", read });" +
  "})()</script>");
}).listen(8080, "127.0.0.1", () => console.log("Forwarding from 127.0.0.1:8080 -> 80"));
'
`;

let browser: Browser;
before(async () => {
  if (!skip) browser = await openBrowser();
});
after(() => browser?.close());

interface Scene {
  page: Page;
  context: BrowserContext;
  server: TestServer;
  /** Stops the server and starts another on the same port. */
  restart(): Promise<TestServer>;
}

function story(
  name: string,
  tell: (scene: Scene) => Promise<void>,
  { language = 'en', clipboard = true }: { language?: Language; clipboard?: boolean } = {},
): void {
  test(name, { skip, timeout: 120_000 }, async () => {
    const lab = listeningLab();
    const serve = (port = 0) =>
      startTestServer({
        builtSite: site,
        providers: [helloProvider()],
        lab: async () => lab,
        tools: async () => [{ name: 'serve', text: SERVE }],
        kubectl: { state: 'found', path: '/bin/true', version: 'v1.36.2', source: 'path' },
        port,
      });
    let server: TestServer = await serve();
    const { port } = server;
    const { page, context, complaints } = await openPage(browser, 'wide');
    try {
      if (clipboard)
        await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
      await page.goto(server.link().replace('/?', `${path(language)}?`));
      await page.click('[data-start]');
      const yes = page.locator('[data-yes]');
      await yes.or(page.locator('.term-tab').first()).first().waitFor();
      if (await yes.isVisible()) await yes.click();
      await atPrompt(page);
      await tell({
        page,
        context,
        server,
        restart: async () => {
          await server.close();
          server = await serve(port);
          return server;
        },
      });
      assert.deepEqual(
        complaints.filter(one => !/WebSocket|ERR_CONNECTION_REFUSED|401/.test(one)),
        [],
      );
    } catch (error) {
      await picture(page, `failed-${name.replaceAll(/\W+/g, '-').slice(0, 50)}`);
      throw error;
    } finally {
      await context.close();
      await server.close();
    }
  });
}

const rows = (page: Page) => page.locator('.xterm-rows:visible');
const shown = (page: Page) => rows(page).innerText();
const lines = async (page: Page) => (await shown(page)).split('\n').map(line => line.trim());
const state = (page: Page) => page.locator('.term-state:visible');

async function eventually(what: () => Promise<boolean>, page: Page, why: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await what()) return;
    await new Promise(done => setTimeout(done, 50));
  }
  assert.fail(`${why}; the terminal shows ${JSON.stringify(await shown(page))}`);
}

/** A shell that can be typed into: its prompt is there, and the cursor behind it. */
async function atPrompt(page: Page): Promise<void> {
  await eventually(async () => /\$\s*$/.test(await shown(page).catch(() => '')), page, 'no prompt');
  await page.locator('.xterm-helper-textarea:visible').first().focus();
}

const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
const putOnClipboard = (page: Page, text: string) =>
  page.evaluate(value => navigator.clipboard.writeText(value), text);

async function run(page: Page, command: string): Promise<void> {
  await page.keyboard.type(`${command}\n`);
}

/** Selects the last line with this text, as three clicks do; xterm takes them on a layer above its rows. */
async function select(page: Page, text: string): Promise<void> {
  const box = await rows(page).locator('> div').filter({ hasText: text }).last().boundingBox();
  assert.ok(box, `there is no line with ${text}`);
  await page.mouse.click(box.x + 12, box.y + box.height / 2, { clickCount: 3 });
}

story('a selection is copied by two keys and a button, Chinese as it is', async ({ page }) => {
  await run(page, "printf '叢集 %s\\n' 已就緒");
  await eventually(async () => (await lines(page)).includes('叢集 已就緒'), page, 'nothing was printed');
  for (const key of ['Control+Shift+C', 'Control+Insert', 'button']) {
    await putOnClipboard(page, 'what was there before');
    await select(page, '叢集 已就緒');
    if (key === 'button') await page.getByRole('button', { name: 'Copy the selection' }).click();
    else await page.keyboard.press(key);
    await eventually(
      async () => (await clipboard(page)).trim() === '叢集 已就緒',
      page,
      `it was not copied with ${key}`,
    );
  }
});

story('Ctrl+C stays the shell’s, also while something is selected', async ({ page }) => {
  await run(page, 'echo here; sleep 100');
  await eventually(async () => (await lines(page)).includes('here'), page, 'nothing runs');
  await select(page, 'here');
  await page.keyboard.press('Control+C');
  await eventually(async () => (await shown(page)).includes('^C'), page, 'it was not interrupted');
});

story(
  'several lines pasted by two keys or a button wait at the prompt and run as one on Enter',
  async ({ page }) => {
    for (const key of ['Control+Shift+V', 'Shift+Insert', 'button']) {
      await putOnClipboard(page, 'echo 第一-$((1+1))\necho 第二-$((2+2))\n');
      if (key === 'button') await page.getByRole('button', { name: 'Paste', exact: true }).click();
      else await page.keyboard.press(key);
      await eventually(
        async () => (await shown(page)).includes('echo 第二-$((2+2))'),
        page,
        `it was not pasted with ${key}`,
      );
      await new Promise(done => setTimeout(done, 500));
      assert.doesNotMatch(await shown(page), /第一-2/, `pasted with ${key} it ran by itself`);
      await page.keyboard.press('Enter');
      await eventually(
        async () => (await lines(page)).includes('第一-2') && (await lines(page)).includes('第二-4'),
        page,
        `pasted with ${key} it did not run`,
      );
      await run(page, 'clear');
      await eventually(async () => !(await shown(page)).includes('第'), page, 'the screen was not cleared');
      // Only a prompt takes a paste as one: what comes while a command runs is typed.
      await atPrompt(page);
    }
  },
);

story('a text that pretends to be the end of a paste runs nothing', async ({ page }) => {
  await putOnClipboard(page, 'echo one\x1b[201~\necho ran-$((40+2))\n');
  await page.keyboard.press('Control+Shift+V');
  await eventually(async () => (await shown(page)).includes('echo ran-'), page, 'it was not pasted');
  await new Promise(done => setTimeout(done, 500));
  assert.doesNotMatch(await shown(page), /ran-42/);
});

story('pasting is bracketed after a reload as well', async ({ page }) => {
  await page.reload();
  await atPrompt(page);
  await putOnClipboard(page, 'echo ran-$((40+2))\n');
  await page.keyboard.press('Control+Shift+V');
  await eventually(async () => (await shown(page)).includes('echo ran-'), page, 'it was not pasted');
  await new Promise(done => setTimeout(done, 500));
  assert.doesNotMatch(await shown(page), /ran-42/);
});

story(
  'without the permission the keys still work, and the button says which they are',
  async ({ page, context }) => {
    await run(page, 'echo copy-me');
    await eventually(async () => (await lines(page)).includes('copy-me'), page, 'nothing was printed');
    await select(page, 'copy-me');
    await page.keyboard.press('Control+Shift+C');
    await page.getByRole('button', { name: '貼上', exact: true }).click();
    assert.match(await state(page).innerText(), /Ctrl\+Shift\+V/);
    await page.keyboard.press('Control+Shift+V');
    await eventually(
      async () => (await lines(page)).at(-1)?.endsWith('$ copy-me') === true,
      page,
      'the text did not come back',
    );
    // Typing takes the line away.
    assert.equal(await state(page).count(), 0);
    assert.equal(context.pages().length, 1);
  },
  { language: 'zh-TW', clipboard: false },
);

story(
  'where the browser refuses to write the clipboard the old way is tried, then the learner told',
  async ({ page }) => {
    await run(page, 'echo copy-me');
    await eventually(async () => (await lines(page)).includes('copy-me'), page, 'nothing was printed');
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));
    });
    await select(page, 'copy-me');
    await page.keyboard.press('Control+Shift+C');
    await eventually(async () => (await clipboard(page)).trim() === 'copy-me', page, 'it was not copied');
    await page.evaluate(() => {
      document.execCommand = () => false;
    });
    await page.getByRole('button', { name: 'Copy the selection' }).click();
    await state(page).waitFor();
    assert.match(await state(page).innerText(), /does not let the page write the clipboard/);
  },
);

story(
  'a program may write the clipboard within bounds, never read it, and link to the web alone',
  async ({ page, context }) => {
    const osc52 = (what: string) => `printf '\\e]52;c;%s\\a' "${what}"; echo done-$((40 + 2))`;
    const after = async (command: string) => {
      await run(page, `clear; ${command}`);
      await eventually(async () => (await lines(page)).includes('done-42'), page, 'it did not end');
      await atPrompt(page);
    };
    await after(osc52('$(printf mine | base64)'));
    assert.equal(await clipboard(page), 'mine');
    await after(osc52('$(head -c 300000 /dev/zero | base64 -w 0)'));
    assert.equal(await clipboard(page), 'mine');
    await after(osc52('?'));
    assert.match((await lines(page)).at(-1) ?? '', /\$$/);
    await after(
      String.raw`printf '\e]8;;%s\e\\%s\e]8;;\e\\\n' 'javascript:document.title=1' local http://127.0.0.1:1/ web; echo done-$((40 + 2))`,
    );
    const click = async (text: string) => {
      const box = await rows(page).locator('> div').filter({ hasText: text }).last().boundingBox();
      assert.ok(box);
      await page.mouse.move(box.x + 8, box.y + box.height / 2);
      await page.mouse.click(box.x + 12, box.y + box.height / 2);
    };
    const title = await page.title();
    await click('local');
    assert.equal(context.pages().length, 1);
    assert.equal(await page.title(), title);
    const [opened] = await Promise.all([context.waitForEvent('page'), click('web')]);
    assert.equal(await opened.evaluate(() => opener), null);
  },
);

story('a shell is as wide as the window in which somebody types', async ({ page, context }) => {
  const sizes = async () => (await lines(page)).filter(line => /^\d+ \d+$/.test(line));
  await run(page, 'stty size');
  await eventually(async () => (await sizes()).length === 1, page, 'no size');
  const [wide] = await sizes();
  const other = await context.newPage();
  await other.setViewportSize({ width: 390, height: 844 });
  await other.goto(page.url());
  await other.click('[data-show="terminal"]');
  await atPrompt(other);
  await run(other, 'clear; stty size');
  const isOf = (size: string | undefined) => async () =>
    (await sizes()).length === 1 && (await sizes())[0] === size;
  await eventually(async () => !(await isOf(wide)()) && (await sizes()).length === 1, page, 'no other size');
  await page.bringToFront();
  await page.locator('.xterm-helper-textarea:visible').first().blur();
  await page.locator('.xterm-helper-textarea:visible').first().focus();
  await run(page, 'clear; stty size');
  await eventually(isOf(wide), page, `not ${wide} again`);
});

for (const language of ['en', 'zh-TW'] satisfies Language[]) {
  story(
    `a server that is started again gives a new prompt by itself, and says so, in ${language}`,
    async ({ page, context, restart }) => {
      await run(page, 'echo of-before; exec sleep 1000');
      await eventually(async () => (await lines(page)).includes('of-before'), page, 'nothing was printed');
      const again = await restart();
      const words =
        language === 'en'
          ? { locked: /open the address it printed/, renewed: /This is a new shell/ }
          : { locked: /打開它印出的網址/, renewed: /這是新的 shell/ };
      // This run has another secret: the page cannot come in, and says how.
      await eventually(
        async () => (await state(page).count()) > 0 && words.locked.test(await state(page).innerText()),
        page,
        'the page does not say that it needs a pass',
      );
      const live = page.locator('[data-cluster-badge][data-live]');
      assert.equal(await live.count(), 0, 'the header shows a cluster that cannot be reached as if it could');
      const other = await context.newPage();
      await other.goto(again.link());
      await other.close();
      await eventually(
        async () => (await state(page).count()) > 0 && words.renewed.test(await state(page).innerText()),
        page,
        'the page did not come back',
      );
      await atPrompt(page);
      assert.equal(await live.count(), 1);
      assert.doesNotMatch(await shown(page), /of-before/);
      assert.equal(await page.locator('.term-tab [aria-pressed]').count(), 1);
      await run(page, 'echo new-$((40+2))');
      await eventually(
        async () => (await lines(page)).includes('new-42'),
        page,
        'the new shell does not answer',
      );
      assert.equal(await state(page).count(), 0);
    },
    { language },
  );
}

for (const language of ['en', 'zh-TW'] satisfies Language[]) {
  story(
    `a forwarded port opens in a tab that reaches nothing of ours, in ${language}`,
    async ({ page, context, server }) => {
      await run(page, 'kubectl() { serve; }');
      await run(page, 'kubectl port-forward web 8080:80');
      const link = page.locator('.term-forwards a');
      await link.waitFor();
      const words =
        language === 'en' ? 'Open forwarded port 8080 in a new tab' : '在新分頁打開轉送中的連接埠 8080';
      assert.equal(await link.innerText(), words);
      await picture(page, `forward-${language}`);
      const [tab] = await Promise.all([context.waitForEvent('page'), link.click()]);
      await tab.locator('#told').filter({ hasText: '{' }).waitFor();
      const told = async () => JSON.parse(await tab.locator('#told').innerText());
      assert.deepEqual(await told(), { opener: true, cookies: '', sent: '', read: 0 });
      assert.notEqual(new URL(tab.url()).hostname, new URL(server.origin).hostname);
      await tab.goto(`${new URL(tab.url()).origin}/?ours=${server.origin}`);
      await tab.locator('#told').filter({ hasText: '{' }).waitFor();
      assert.equal((await told()).read, 'TypeError', 'our server let it read');
      await page.bringToFront();
      await page.locator('.xterm-helper-textarea:visible').first().focus();
      await page.keyboard.press('Control+C');
      await link.waitFor({ state: 'hidden' });
    },
    { language },
  );
}

for (const language of ['en', 'zh-TW'] satisfies Language[]) {
  story(
    `the header says the whole name of the cluster on a phone, in ${language}`,
    async ({ page }) => {
      for (const width of [390, 360]) {
        await page.setViewportSize({ width, height: 800 });
        const name = page.locator('.cluster-name');
        assert.equal(await name.innerText(), language === 'en' ? 'Practice' : '練習叢集');
        const cut = await name.evaluate(
          element =>
            element.scrollWidth - element.clientWidth > 1 && getComputedStyle(element).overflow !== 'visible',
        );
        const box = await page
          .locator('[data-cluster-badge]')
          .evaluate(element => element.scrollWidth - element.clientWidth);
        assert.deepEqual({ width, cut, box }, { width, cut: false, box: 0 });
        assert.equal(await overflow(page), 0);
        await picture(page, `badge-${language}-${width}`);
      }
    },
    { language },
  );
}
