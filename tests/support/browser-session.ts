// A browser as far as signing in needs one: keeps cookies, follows redirects within one site, sends forms. Knows no page.

export interface Page {
  status: number;
  /** Where it ended, without the site. */
  path: string;
  text: string;
  headers: Headers;
}

const MOST_REDIRECTS = 10;

export class BrowserSession {
  private readonly cookies = new Map<string, string>();
  private readonly site: string;

  /** `http://127.0.0.1:41231` */
  constructor(site: string) {
    this.site = site;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.open(path, { headers });
  }

  post(path: string, fields: Record<string, string>): Promise<Page> {
    return this.open(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  /** As after closing it. */
  forget(): void {
    this.cookies.clear();
  }

  private async open(path: string, options: RequestInit): Promise<Page> {
    let at = path;
    let request = options;
    for (let left = MOST_REDIRECTS; left > 0; left--) {
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(new URL(at, this.site), {
        ...request,
        redirect: 'manual',
        headers: { ...(request.headers as Record<string, string>), ...(cookie && { cookie }) },
      });
      for (const line of answer.headers.getSetCookie()) this.keep(line);
      const location = answer.headers.get('location');
      const text = await answer.text();
      if (location === null || answer.status < 300 || answer.status >= 400)
        return { status: answer.status, path: at, text, headers: answer.headers };
      const next = new URL(location, new URL(at, this.site));
      if (next.origin !== new URL(this.site).origin) throw new Error(`leads elsewhere: ${location}`);
      at = `${next.pathname}${next.search}`;
      request = {};
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects`);
  }

  private keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1];
    // What a server takes back it sends empty.
    if (value === '' && expires !== undefined) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
