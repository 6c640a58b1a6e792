// A folder with two labs of one step, made for measuring: it turns green when a config map is there. One starts on an
// empty cluster, the other with all of Kubeflow.

import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const lab = (cluster: string) => `title: { zh-TW: 量測, en: Measuring }
minutes: 1
cluster: ${cluster}
steps:
  - id: make-it
    task: { zh-TW: 建立 ConfigMap。, en: Make the config map. }
    hints: [{ zh-TW: 提示, en: Hint }]
    checks:
      - resource:
          ref: { kind: ConfigMap, namespace: default, name: green }
          match: { data: { go: "yes" } }
`;

const LABS = {
  measuring: lab('{ cpus: 2, memory: 4Gi }'),
  platform: lab('{ baseline: kubeflow-seed, cpus: 16, memory: 32Gi }'),
};

/** What their step asks for. */
export const GREEN_MAP = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'green', namespace: 'default' },
  data: { go: 'yes' },
};

/** Path of a new folder of labs; the caller removes it. */
export async function smallLabs(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-bench-'));
  for (const [id, text] of Object.entries(LABS)) {
    await mkdir(join(folder, id));
    await writeFile(join(folder, id, 'lab.yaml'), text);
  }
  return folder;
}
