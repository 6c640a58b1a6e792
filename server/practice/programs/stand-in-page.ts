// The frame of a page that a program shows to a browser: our own plain HTML in place of the component's page, which says so.
// Knows no component.

/** For text between tags and in attributes. */
export const escapeHtml = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    char => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[char] as string,
  );

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 34rem; padding: 10vh 1.25rem 2rem }
h1 { font-size: 1.5rem; line-height: 1.25 }
label { display: block; margin: 0.75rem 0 0.25rem }
input { box-sizing: border-box; font: inherit; padding: 0.5rem; width: 100% }
button { cursor: pointer; font: inherit; margin-top: 1rem; padding: 0.5rem 1.25rem }
#login-error { border-inline-start: 4px solid #d1242f; margin: 1rem 0; padding: 0.25rem 0.75rem }
dt { font-weight: 600; margin-top: 0.75rem }
dd { margin: 0; overflow-wrap: anywhere }
footer { border-top: 1px solid #8886; font-size: 0.875rem; margin-top: 3rem; padding-top: 0.75rem }
`;

/** `component` is named in the note at the foot; `body` is HTML. */
export const standInPage = (component: string, title: string, body: string): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
<footer>
<p>Practice cluster: this page stands in for the one of ${component}, with the same fields and words and without its looks.</p>
<p lang="zh-Hant-TW">練習叢集：這一頁代替 ${component} 的頁面，欄位和用詞相同，外觀從簡。</p>
</footer>
</body>
</html>
`;
