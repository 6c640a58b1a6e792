// Marks code blocks of lessons for Expressive Code: ```sh run is a command that the page offers to run, ```text output is
// what such a command printed. Knows neither the terminal nor the page.

import { definePlugin } from 'astro-expressive-code';

/** `run`, `terminal=2` (which terminal), `output`, `real` (needs a real machine: shown, not run here). */
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
        if (metaOptions.getBoolean('real')) properties['data-real'] = '';
      },
    },
  });
}

export function blockLocale({ file }: { file: { path?: string; url?: URL } }): string {
  return /[\\/]content[\\/]en[\\/]/.test(file.path ?? '') ? 'en' : 'zh-TW';
}
