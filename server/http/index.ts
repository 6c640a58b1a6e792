export { createDevSite } from './dev-site.ts';
export { createLinks } from './links.ts';
export { startHttpServer } from './server.ts';
