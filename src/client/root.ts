// Where the site's own root is: a page may be served from any folder of any host. Knows no page.

/** Address of `path`, which is counted from the root of the site. */
export function fromRoot(path: string): string {
  return new URL((document.documentElement.dataset.root ?? '/') + path, location.href).href;
}
