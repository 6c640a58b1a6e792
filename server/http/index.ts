export { createDevSite } from './dev-site.ts';
export { createLinks, type Links } from './links.ts';
export { type HttpOptions, type HttpServer, startHttpServer } from './server.ts';
