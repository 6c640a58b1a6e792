// A folder with one lab of one step, made for measuring: it turns green when a config map is there.

import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LAB = `title: { zh-TW: 量測, en: Measuring }
minutes: 1
cluster: { cpus: 2, memory: 4Gi }
steps:
  - id: make-it
    task: { zh-TW: 建立 ConfigMap。, en: Make the config map. }
    hints: [{ zh-TW: 提示, en: Hint }]
    checks:
      - resource:
          ref: { kind: ConfigMap, namespace: default, name: green }
          match: { data: { go: "yes" } }
`;

/** Path of a new folder of labs; the caller removes it. */
export async function smallLabs(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-bench-'));
  await mkdir(join(folder, 'measuring'));
  await writeFile(join(folder, 'measuring', 'lab.yaml'), LAB);
  return folder;
}
