// The headers that every answer carries. Knows no routes.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `hashes` are those of the inline scripts of our own pages; there is no other way for a script to run inline. */
export function securityHeaders(hashes: readonly string[]): Record<string, string> {
  const policy = [
    "default-src 'none'",
    // wasm-unsafe-eval: the search index is WebAssembly; it does not allow eval.
    `script-src ${["'self'", "'wasm-unsafe-eval'", ...hashes.map(hash => `'${hash}'`)].join(' ')}`,
    // xterm.js sets its colours and sizes in style elements it creates.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  };
}

/** The CSP hashes of the inline scripts in a built site. */
export async function inlineScriptHashes(site: string): Promise<string[]> {
  const hashes = new Set<string>();
  const files = await readdir(site, { recursive: true }).catch(() => [] as string[]);
  for (const file of files) {
    if (!file.endsWith('.html')) continue;
    for (const script of inlineScripts(await readFile(join(site, file), 'utf8'))) {
      hashes.add(`sha256-${createHash('sha256').update(script).digest('base64')}`);
    }
  }
  return [...hashes].sort();
}

/** The texts of the script elements that run and have no `src`; data blocks (JSON) run nowhere and need no leave. */
function inlineScripts(html: string): string[] {
  const scripts: string[] = [];
  for (const [, attributes = '', text = ''] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)) {
    if (/\ssrc\s*=/i.test(attributes) || text === '') continue;
    const type = /\stype\s*=\s*["']?([^"'\s>]+)/i.exec(attributes)?.[1]?.toLowerCase();
    if (type !== undefined && type !== 'module' && type !== 'text/javascript') continue;
    scripts.push(text);
  }
  return scripts;
}
