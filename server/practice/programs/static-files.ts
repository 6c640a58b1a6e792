// Serves a folder of a container's files over HTTP, as busybox' httpd and nginx do. Knows no ports.

import type { ContainerFileSystem } from './files.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

const TYPES: Record<string, string> = {
  css: 'text/css',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpg: 'image/jpeg',
  js: 'application/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
};

export type Flavour = 'busybox' | 'nginx';

const SERVER: Record<Flavour, Record<string, string>> = { busybox: {}, nginx: { Server: 'nginx' } };

/** The error page of each server. */
export function errorPage(flavour: Flavour, status: number, title: string, version = ''): HttpResponse {
  const headers = { ...SERVER[flavour], 'Content-Type': 'text/html' };
  if (flavour === 'busybox')
    return {
      status,
      headers,
      body: `<HTML><HEAD><TITLE>${status} ${title}</TITLE></HEAD>\n<BODY><H1>${status} ${title}</H1>\nThe requested URL was not found\n</BODY></HTML>\n`,
    };
  const name = version ? `nginx/${version}` : 'nginx';
  return {
    status,
    headers: { ...headers, Server: name },
    body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n<hr><center>${name}</center>\r\n</body>\r\n</html>\r\n`,
  };
}

export function serveFiles(
  files: ContainerFileSystem,
  root: string,
  request: HttpRequest,
  flavour: Flavour,
  version = '',
): HttpResponse {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return errorPage(
      flavour,
      flavour === 'nginx' ? 405 : 501,
      flavour === 'nginx' ? 'Not Allowed' : 'Not Implemented',
      version,
    );
  let asked: string;
  try {
    asked = decodeURIComponent(request.path.split('?')[0]!);
  } catch {
    return errorPage(flavour, 400, 'Bad Request', version);
  }
  if (asked.split('/').includes('..')) return errorPage(flavour, 400, 'Bad Request', version);
  const target = `${root}${asked}`;
  const isFolder = asked.endsWith('/');
  const content = files.read(isFolder ? `${target}index.html` : target);
  if (content === undefined) {
    if (!isFolder && files.exists(target))
      return {
        ...errorPage(flavour, 301, 'Moved Permanently', version),
        headers: { ...SERVER[flavour], 'Content-Type': 'text/html', Location: `${asked}/` },
      };
    if (isFolder && flavour === 'nginx' && files.exists(target))
      return errorPage(flavour, 403, 'Forbidden', version);
    return errorPage(flavour, 404, 'Not Found', version);
  }
  const name = isFolder ? 'index.html' : asked;
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
  const server: Record<string, string> =
    flavour === 'nginx' ? { Server: version ? `nginx/${version}` : 'nginx' } : {};
  return {
    status: 200,
    headers: { ...server, 'Content-Type': type, 'Accept-Ranges': 'bytes' },
    body: content,
  };
}
