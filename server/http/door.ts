// The plain page for whoever comes without a cookie. Needs nothing: no script, no style of the site, no secret.

/** Both languages on one page: at the door nobody has said which they read. */
export const DOOR_PAGE = `<!doctype html>
<html lang="zh-Hant-TW">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>動手學 Kubeflow</title>
<style>body{font:1.1rem/1.6 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1.5rem;color-scheme:light dark}</style>
<main>
<h1>請從終端機印出的網址進來</h1>
<p>執行 <code>npm start</code> 的終端機裡有一個含一次性通行碼的網址，請用那個網址開啟本站。網址用過了？在那個終端機裡按 Enter，會印出新的。</p>
<h1 lang="en">Please come in through the URL in your terminal</h1>
<p lang="en">The terminal that runs <code>npm start</code> shows a URL with a one-time token; open this site with it. Already used? Press Enter in that terminal for a new one.</p>
</main>
</html>
`;
