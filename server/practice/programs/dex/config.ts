// Dex' configuration as its file says it: which clients and passwords there are, and what is wrong with it in Dex' own words.
// Knows no requests.

export interface DexClient {
  id: string;
  secret: string;
  name: string;
  redirectURIs: string[];
}

export interface DexPassword {
  email: string;
  username: string;
  userID: string;
  /** bcrypt. */
  hash: string;
}

export interface DexConfig {
  issuer: string;
  storage: 'kubernetes' | 'memory';
  /** As written: `kubernetes`, `sqlite3`, `memory`. */
  storageType: string;
  port: number;
  address: string;
  skipApprovalScreen: boolean;
  passwordDb: boolean;
  clients: DexClient[];
  passwords: DexPassword[];
}

/** What ends Dex before it serves; the message is all that it prints. */
export class ConfigError extends Error {}

/** A hash of bcrypt as Go's library takes it: version, cost, 22 characters of salt and 31 of the hash. */
const BCRYPT = /^\$2[a-z]?\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const IN_MEMORY = ['memory', 'sqlite3'];

/** The cost of a bcrypt hash; undefined for what is none. */
export function bcryptCost(hash: string): number | undefined {
  const cost = BCRYPT.exec(hash)?.[1];
  return cost === undefined ? undefined : Number(cost);
}

export function readConfig(file: string, document: any, env: Record<string, string>): DexConfig {
  const refuse = (why: string): never => {
    throw new ConfigError(`error unmarshalling config file ${file}: ${why}`);
  };
  const { issuer, storage = {}, web = {}, oauth2 = {}, enablePasswordDB = false } = document ?? {};
  const storageType = String(storage.type ?? '');
  if (storageType !== 'kubernetes' && !IN_MEMORY.includes(storageType))
    refuse(`unknown storage type "${storageType}"`);
  const passwords = (document?.staticPasswords ?? []).map((entry: any) => passwordOf(entry, env, refuse));
  const checks: [boolean, string][] = [
    [!issuer, 'no issuer specified in config file'],
    [
      !enablePasswordDB && passwords.length > 0,
      'cannot specify static passwords without enabling password db',
    ],
    [!web.http && !web.https, 'must supply a HTTP/HTTPS  address to listen on'],
  ];
  const wrong = checks.filter(([bad]) => bad).map(([, words]) => words);
  if (wrong.length > 0)
    throw new ConfigError(`invalid Config:${wrong.map(words => `\n\t-\t${words}`).join('')}`);
  return {
    issuer: String(issuer),
    storage: storageType === 'kubernetes' ? 'kubernetes' : 'memory',
    storageType,
    address: String(web.http ?? web.https),
    port: Number(
      String(web.http ?? web.https)
        .split(':')
        .pop(),
    ),
    skipApprovalScreen: oauth2.skipApprovalScreen === true,
    passwordDb: enablePasswordDB === true,
    clients: (document?.staticClients ?? []).map((entry: any) => clientOf(entry, env)),
    passwords,
  };
}

function passwordOf(entry: any, env: Record<string, string>, refuse: (why: string) => never): DexPassword {
  const given = entry.hash ? String(entry.hash) : (env[String(entry.hashFromEnv ?? '')] ?? '');
  if (given === '') refuse(`no password hash provided for user ${entry.email ?? ''}`);
  const decoded = Buffer.from(given, 'base64').toString('latin1');
  const hash = [given, decoded].find(candidate => bcryptCost(candidate) !== undefined);
  if (hash === undefined)
    refuse(
      `malformed bcrypt hash: ${
        given.length < 59
          ? 'crypto/bcrypt: hashedSecret too short to be a bcrypted password'
          : `crypto/bcrypt: bcrypt hashes must start with '$', but hashedSecret started with '${given[0]}'`
      }`,
    );
  return {
    email: String(entry.email ?? ''),
    username: String(entry.username ?? ''),
    userID: String(entry.userID ?? ''),
    hash: hash as string,
  };
}

function clientOf(entry: any, env: Record<string, string>): DexClient {
  const fail = (why: string): never => {
    throw new ConfigError(`invalid config: ${why}`);
  };
  if (!entry.name) fail('Name field is required for a client');
  if (!entry.id && !entry.idEnv) fail('ID or IDEnv field is required for a client');
  const id = String(entry.id ?? env[entry.idEnv] ?? '');
  if (!entry.secret && !entry.secretEnv && !entry.public)
    fail(`Secret or SecretEnv field is required for client "${id}"`);
  return {
    id,
    secret: String(entry.secret ?? env[entry.secretEnv] ?? ''),
    name: String(entry.name),
    redirectURIs: (entry.redirectURIs ?? []).map(String),
  };
}
