// oauth2-proxy as a process: gathers its settings, asks the issuer if it is told to, and serves. Knows no requests.

import { exitOf, untilAborted } from '../signals.ts';
import type { Container } from '../types.ts';
import { gather, OptionsError, optionsOf, type ProxyOptions } from './config.ts';
import { proxyLog } from './log.ts';
import { Provider } from './provider.ts';
import { AuthServer } from './server.ts';

const START_MS = 120;

export async function serveOauth2Proxy(container: Container): Promise<number> {
  const { clock, signal } = container;
  const log = proxyLog(container);
  container.use({ cpuMillis: 1, memoryBytes: 18 * 1024 * 1024 });
  await clock.sleep(START_MS, signal);
  if (signal.aborted) return exitOf(container);
  let options: ProxyOptions;
  try {
    options = optionsOf(
      gather(container.argv.slice(1), container.env, path => container.files.readText(path)),
    );
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    log.info('main.go:60', error.message);
    return 1;
  }
  const provider = new Provider(container, options);
  if (!options.skipDiscovery) {
    log.info('provider.go:55', 'Performing OIDC Discovery...');
    try {
      await provider.discover();
    } catch (error) {
      log.info(
        'main.go:66',
        `ERROR: Failed to initialise OAuth2 Proxy: error initialising provider: could not create provider data: error building OIDC ProviderVerifier: could not get verifier builder: error while discovery OIDC configuration: failed to discover OIDC configuration: error performing request: ${(error as Error).message}`,
      );
      return 1;
    }
  }
  announce(options, log);
  const server = new AuthServer(container, options, provider, log);
  container.serveHttp(options.port, (request, peer) => server.handle(request, peer));
  await untilAborted(signal);
  return exitOf(container);
}

function announce(options: ProxyOptions, log: ReturnType<typeof proxyLog>): void {
  const { upstreamStatus, bearerTokens, issuer, clientId, cookieName, cookieSecure, cookieExpire } = options;
  if (upstreamStatus !== undefined)
    log.info('proxy.go:77', `mapping path "/" => static response ${upstreamStatus}`);
  if (bearerTokens)
    log.info('oauthproxy.go:165', `Skipping JWT tokens from configured OIDC issuer: "${issuer}"`);
  log.info('oauthproxy.go:176', `OAuthProxy configured for OpenID Connect Client ID: ${clientId}`);
  log.info(
    'oauthproxy.go:182',
    `Cookie settings: name:${cookieName} secure(https):${cookieSecure} httponly:true expiry:${cookieExpire / 3600_000}h0m0s domains: path:/ samesite: refresh:disabled`,
  );
  for (const route of options.skipAuth)
    log.info('oauthproxy.go:497', `Skipping auth - Method: ALL | Path: ${written(route)}`);
  for (const route of options.apiRoutes) log.info('oauthproxy.go:524', `API route - Path: ${written(route)}`);
}

/** As it stands in the settings: without the slashes' backslashes that a regular expression here is shown with. */
const written = ({ source }: RegExp) => source.replaceAll('\\/', '/');
