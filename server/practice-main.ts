// `npm run practice`: the practice cluster by itself, with the states that labs begin from. Puts the two together, nothing else.

import { openKubeApi } from './check/index.ts';
import { realClock } from './clock.ts';
import { BASELINES } from './lab/index.ts';
import { type Baselines, main } from './practice/cli.ts';

const baselines: Baselines = {
  names: BASELINES.map(({ name }) => name),
  async apply(name, kubeconfig, tell) {
    const api = await openKubeApi(kubeconfig);
    try {
      await BASELINES.find(baseline => baseline.name === name)?.apply(api, {
        clock: realClock(),
        signal: new AbortController().signal,
        note: text => tell(text.en),
      });
    } finally {
      api.close();
    }
  },
};

await main(process.argv.slice(2), baselines);
