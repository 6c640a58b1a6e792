// Marks code blocks of lessons for Expressive Code: ```sh run is a command that the page offers to run, ```text output is
// what such a command printed. Knows neither the terminal nor the page.

import { definePlugin, type ExpressiveCodePlugin } from 'astro-expressive-code';

type Element = Parameters<
  NonNullable<NonNullable<ExpressiveCodePlugin['hooks']>['postprocessRenderedBlock']>
>[0]['renderData']['blockAst'];

/** What stands above a command that changes the reader's machine, or needs one. */
const MACHINE = { 'zh-TW': '在自己的電腦上執行', en: 'On a machine of your own' };

/** Longer lines, and a line alone, are sentences to be read, not columns to be kept: such a block wraps. In characters. */
const LONG = 150;

/** `run`, `terminal=2` (which terminal), `output`, `machine` (only a real machine can run it: shown, not run here). */
export function runnableBlocks() {
  return definePlugin({
    name: 'Runnable blocks',
    hooks: {
      preprocessMetadata: ({ codeBlock }) => {
        const lines = codeBlock.code.trim().split('\n');
        const sentences = lines.length === 1 || lines.some(line => line.length > LONG);
        if (codeBlock.language !== 'text' || !sentences) return;
        codeBlock.props.wrap = true;
        codeBlock.props.hangingIndent = 2;
      },
      postprocessRenderedBlock: ({ codeBlock, renderData, styleVariants }) => {
        const { metaOptions } = codeBlock;
        const plain = styleVariants.map(({ theme }, index) => `--${index}:${theme.fg}`).join(';');
        slim(renderData.blockAst, plain.toLowerCase());
        const properties = renderData.blockAst.properties;
        // A block that scrolls becomes a landmark, and landmarks want names of their own. Commands wrap instead.
        const lines = codeBlock.code.trim().split('\n');
        const name = [...new Set([lines[0], lines.at(-1)])].join(' … ').replace(/\s+/g, ' ').slice(0, 160);
        const pre = renderData.blockAst.children.find(
          child => child.type === 'element' && child.tagName === 'pre',
        );
        if (pre?.type === 'element' && codeBlock.language !== 'sh') pre.properties['aria-label'] = name;
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

/** Each page has a budget: colours that are the block's own, widths that only word wrap in frames reads, and empty heads go. */
function slim(parent: Element, plain: string): void {
  parent.children = parent.children.flatMap(child => {
    if (child.type !== 'element') return [child];
    if (child.tagName === 'figcaption' && child.children.length === 0) return [];
    slim(child, plain);
    const style = String(child.properties['style'] ?? '');
    if (child.tagName === 'pre') delete child.properties['style'];
    return child.tagName === 'span' && style.toLowerCase() === plain ? child.children : [child];
  });
}

export function blockLocale({ file }: { file: { path?: string; url?: URL } }): string {
  return /[\\/]content[\\/]en[\\/]/.test(file.path ?? '') ? 'en' : 'zh-TW';
}
