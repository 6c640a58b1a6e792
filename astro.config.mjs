// How the site is built: static pages, no inline script, code blocks that can be run. Knows no lesson.

import { satteri } from '@astrojs/markdown-satteri';
import mdx from '@astrojs/mdx';
import { defineConfig } from 'astro/config';
import expressiveCode, { pluginFramesTexts } from 'astro-expressive-code';
import { blockLocale, runnableBlocks } from './src/course/code-blocks.ts';
import { codeRenderer, codeStyle } from './src/course/code-renderer.ts';
import { twinHeadingIds } from './src/course/heading-ids.ts';
import { lateScripts } from './src/course/late-scripts.ts';
import { relativeAddresses } from './src/course/relative-addresses.ts';
import { searchIndex } from './src/course/search-index.ts';

// Expressive Code speaks English only, unless told.
pluginFramesTexts.overrideTexts('zh-TW', { copyButtonTooltip: '複製', copyButtonCopied: '複製好了' });

// Where the site will be published, such as https://learn.example.org; unset for a site on the reader's own machine.
const site = process.env.SITE_URL;

/** Modules that every page needs, and the small ones that its scripts share. */
const EVERYWHERE =
  /preload-helper|Base\.astro\?|src\/client\/(page|drawer|dom|memory|root|words|server|contents|terms|search\/offer|lab\/ask)\.ts/;

export default defineConfig({
  ...(site ? { site } : {}),
  publicDir: './src/public',
  trailingSlash: 'always',
  build: { format: 'directory', inlineStylesheets: 'never' },
  devToolbar: { enabled: false },
  markdown: { processor: satteri({ features: { smartPunctuation: false }, hastPlugins: [twinHeadingIds] }) },
  integrations: [
    expressiveCode({
      themes: ['vitesse-light', 'vitesse-dark'],
      themeCssSelector: theme => `[data-theme='${theme.type}']`,
      useDarkModeMediaQuery: true,
      minSyntaxHighlightingColorContrast: 5.5,
      customCreateRenderer: codeRenderer,
      emitExternalStylesheet: false,
      plugins: [runnableBlocks()],
      getBlockLocale: blockLocale,
      defaultLocale: 'zh-TW',
      defaultProps: { frame: 'none', overridesByLang: { sh: { wrap: true, hangingIndent: 2 } } },
      styleOverrides: {
        borderRadius: '0.5rem',
        borderColor: 'var(--line)',
        codeBackground: 'var(--code)',
        codeFontFamily: 'var(--mono)',
        codeFontSize: 'var(--t-1)',
        codeLineHeight: '1.6',
        uiFontFamily: 'var(--sans)',
        frames: { shadowColor: 'transparent' },
      },
    }),
    mdx(),
    lateScripts(),
    relativeAddresses(),
    searchIndex(),
  ],
  // A strict CSP forbids inline scripts, and vite inlines small ones unless told not to.
  vite: {
    plugins: [codeStyle()],
    build: {
      assetsInlineLimit: 0,
      cssCodeSplit: false,
      // What every page runs travels as one file: each import of a file of its own would cost a round trip more.
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'page', test: EVERYWHERE }] } } },
    },
    // Scripts find each other from where they are, so that the site may lie in any folder of a host.
    experimental: {
      renderBuiltUrl: (_file, { hostType }) => (hostType === 'js' ? { relative: true } : undefined),
    },
  },
});
