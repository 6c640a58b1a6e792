// How code blocks are drawn by Expressive Code, but for two things: they are no landmarks, and their style comes with the
// site's own sheet. Knows no page.

import { createRenderer, type RehypeExpressiveCodeOptions } from 'astro-expressive-code';
import type { Plugin } from 'vite';

/** What a page imports to have the style of code blocks. */
const IMPORTED = 'virtual:code-blocks.css';
const RESOLVED = '/code-blocks.css';

/** Set up by the first renderer, which is there before the first page is built. */
let style = '';

/**
 * A block that scrolls takes the focus and has a name; Expressive Code makes each a landmark, and a page of landmarks is
 * none. Its style would be a second sheet that each page waits for: `codeStyle` has it instead.
 */
export async function codeRenderer(options: RehypeExpressiveCodeOptions): ReturnType<typeof createRenderer> {
  const renderer = await createRenderer(options);
  style = `${renderer.baseStyles}${renderer.themeStyles}`;
  return {
    ...renderer,
    baseStyles: '',
    themeStyles: '',
    jsModules: renderer.jsModules.map(module => module.replace('"role","region"', '"role","group"')),
  };
}

/** Lets a page import the style of code blocks under the name `virtual:code-blocks.css`. */
export function codeStyle(): Plugin {
  return {
    name: 'code-style',
    resolveId: id => (id === IMPORTED ? RESOLVED : undefined),
    load: id => (id === RESOLVED ? style : undefined),
  };
}
