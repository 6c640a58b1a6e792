// What Dex shows to a browser: its form, its question, its errors. Knows no requests.

import { escapeHtml, standInPage } from '../stand-in-page.ts';
import type { HttpResponse } from '../types.ts';

export const html = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body,
});

export function passwordPage(of: { action: string; login: string; invalid: boolean }): HttpResponse {
  const error = of.invalid
    ? '<div id="login-error" role="alert">Invalid Email Address and password.</div>'
    : '';
  return html(
    200,
    standInPage(
      'Dex',
      'dex',
      `<h1>Log in to Your Account</h1>
<form method="post" action="${escapeHtml(of.action)}">
<label for="login">Email Address</label>
<input id="login" name="login" type="text" required autocomplete="username" value="${escapeHtml(of.login)}"${of.invalid ? '' : ' autofocus'}>
<label for="password">Password</label>
<input id="password" name="password" type="password" required autocomplete="current-password"${of.invalid ? ' autofocus' : ''}>
${error}
<button id="submit-login" type="submit">Login</button>
</form>`,
    ),
  );
}

export function approvalPage(client: string, request: string): HttpResponse {
  return html(
    200,
    standInPage(
      'Dex',
      'dex',
      `<h1>Grant Access</h1>
<p>${escapeHtml(client)} has requested access to your account.</p>
<form method="post">
<input type="hidden" name="req" value="${escapeHtml(request)}">
<input type="hidden" name="approval" value="approve">
<button type="submit">Grant Access</button>
</form>`,
    ),
  );
}

const TITLES: Record<number, string> = { 400: 'Bad Request', 500: 'Internal Server Error' };

export const errorPage = (status: number, message: string): HttpResponse =>
  html(
    status,
    standInPage('Dex', 'dex', `<h1>${TITLES[status] ?? status}</h1>\n<p>${escapeHtml(message)}</p>`),
  );
