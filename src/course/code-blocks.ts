// Marks code blocks of lessons for Expressive Code: ```sh run is a command that the page offers to run, ```text output is
// what such a command printed. Knows neither the terminal nor the page.

import { definePlugin } from 'astro-expressive-code';

/** What stands above a command that changes the reader's machine, or needs one. */
const MACHINE = { 'zh-TW': '在自己的電腦上執行', en: 'On a machine of your own' };

/** `run`, `terminal=2` (which terminal), `output`, `machine` (only a real machine can run it: shown, not run here). */
export function runnableBlocks() {
  return definePlugin({
    name: 'Runnable blocks',
    hooks: {
      postprocessRenderedBlock: ({ codeBlock, renderData }) => {
        const { metaOptions } = codeBlock;
        const properties = renderData.blockAst.properties;
        // A block that scrolls becomes a landmark, and landmarks want names of their own.
        const lines = codeBlock.code.trim().split('\n');
        const name = [...new Set([lines[0], lines.at(-1)])].join(' … ').replace(/\s+/g, ' ').slice(0, 160);
        const pre = renderData.blockAst.children.find(
          child => child.type === 'element' && child.tagName === 'pre',
        );
        if (pre?.type === 'element') pre.properties['aria-label'] = name;
        if (metaOptions.getBoolean('run')) {
          properties['data-run'] = codeBlock.code.trim();
          const terminal = metaOptions.getInteger('terminal');
          if (terminal) properties['data-terminal'] = String(terminal);
        }
        if (metaOptions.getBoolean('output')) {
          properties['data-output'] = '';
          // Nobody copies an output, and the button would carry it a second time.
          renderData.blockAst.children = renderData.blockAst.children.filter(
            child => child.type !== 'element' || child.tagName === 'pre' || child.tagName === 'figcaption',
          );
        }
        if (metaOptions.getBoolean('machine') && codeBlock.language === 'sh') {
          properties['data-machine'] = '';
          renderData.blockAst.children.unshift({
            type: 'element',
            tagName: 'p',
            properties: { className: ['machine-note'] },
            children: [{ type: 'text', value: MACHINE[codeBlock.locale === 'en' ? 'en' : 'zh-TW'] }],
          });
        }
      },
    },
  });
}

export function blockLocale({ file }: { file: { path?: string; url?: URL } }): string {
  return /[\\/]content[\\/]en[\\/]/.test(file.path ?? '') ? 'en' : 'zh-TW';
}
