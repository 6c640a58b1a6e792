// The baseline `login`: what stands between a browser and Kubeflow's dashboard, and the dashboard. Knows no lab.

import { say } from '../../check/index.ts';
import { installation } from './installation.ts';
import { loginCrds } from './login-crds.ts';

const DEX_KINDS = [
  'authcodes',
  'authrequests',
  'connectors',
  'devicerequests',
  'devicetokens',
  'oauth2clients',
  'offlinesessionses',
  'passwords',
  'refreshtokens',
  'signingkeies',
].map(plural => `${plural}.dex.coreos.com`);

export const login = installation({
  name: 'login',
  file: './login.yaml',
  note: say('正在安裝登入要用的元件。', 'Installing what signs you in.'),
  kinds: [
    'gateways.networking.istio.io',
    'virtualservices.networking.istio.io',
    'authorizationpolicies.security.istio.io',
    'requestauthentications.security.istio.io',
    'profiles.kubeflow.org',
    // Dex makes these itself.
    ...DEX_KINDS,
  ],
  definitions: loginCrds,
});
