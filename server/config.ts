// Reads the command line and the environment into what the server needs to know. Starts nothing.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Not 8080: kubectl without a kubeconfig calls that, and Kubeflow's port-forward wants it. */
const DEFAULT_PORT = 4680;

export interface Config {
  /** 0 takes a free one. */
  port: number;
  /** The project's folder. */
  root: string;
  /** The built site. */
  site: string;
  labs: string;
  /** Sessions and progress; the learner's, kept between runs. */
  data: string;
  /** Things that can be fetched again. */
  cache: string;
  /** Port of an Astro dev server on 127.0.0.1 whose pages are shown instead of `site`. */
  devSitePort?: number;
  /** Somebody is writing labs (`npm run labs -- watch`): the page shows how checks look. */
  author?: boolean;
}

/** Throws with a sentence for an argument or a port it cannot use. */
export function readConfig(root: string, args: readonly string[], env: NodeJS.ProcessEnv): Config {
  let port = env['PORT'];
  let data = join(root, '.data');
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = (args[i] ?? '').split(/=(.*)/s);
    const value = () => {
      const next = inline ?? args[++i];
      if (next === undefined)
        throw new Error(
          `${name} wants a value, for example ${name} ${name === '--port' ? DEFAULT_PORT : 'folder'}.`,
        );
      return next;
    };
    if (name === '--port') port = value();
    else if (name === '--data') data = resolve(value().replace(/^~(?=\/|$)/, homedir()));
    else throw new Error(`"${args[i]}" is not an option. Options: --port NUMBER, --data FOLDER.`);
  }
  return {
    port: portNumber(port),
    root,
    site: join(root, 'dist'),
    labs: join(root, 'labs'),
    data,
    cache: join(root, '.cache'),
    ...(env['KUBEFLOW_BY_DOING_AUTHOR'] === '1' ? { author: true } : {}),
  };
}

function portNumber(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new Error(`"${text}" is not a port; it is a number up to 65535, for example ${DEFAULT_PORT}.`);
  return port;
}
