// Tries what can confine a shell on this machine. Knows no sessions; the walls themselves are in bwrap.ts.

import { onPath } from '../on-path.ts';
import { tryWalls } from './bwrap.ts';
import type { Sandbox } from './types.ts';

/** `raise` raises the smallest walls and enters them. */
export async function probeSandbox(
  platform = process.platform,
  path = process.env['PATH'] ?? '',
  raise = tryWalls,
): Promise<Sandbox> {
  const forwarder = (await onPath('socat', path)) ? 'socat' : 'node';
  if (platform !== 'linux') {
    return {
      tier: 'none',
      forwarder,
      note: {
        'zh-TW': '這個作業系統沒有 bubblewrap，練習用的 shell 就是你自己的 shell。',
        en: 'There is no bubblewrap on this system, so the practice shell is your own shell.',
      },
    };
  }
  if (!(await onPath('bwrap', path)) || !(await onPath('nsenter', path))) {
    return {
      tier: 'none',
      forwarder,
      note: {
        'zh-TW':
          '找不到 bubblewrap，練習用的 shell 就是你自己的 shell。安裝方式：sudo apt install bubblewrap。',
        en: 'bubblewrap was not found, so the practice shell is your own shell. To install it: sudo apt install bubblewrap.',
      },
    };
  }
  try {
    await raise();
  } catch (error) {
    const said = error as { stderr?: string; message: string };
    const reason = (said.stderr || said.message).trim().split('\n')[0];
    return {
      tier: 'none',
      forwarder,
      note: {
        'zh-TW': `這台機器不允許 bubblewrap 運作（${reason}），練習用的 shell 就是你自己的 shell。`,
        en: `bubblewrap may not work on this machine (${reason}), so the practice shell is your own shell.`,
      },
    };
  }
  return {
    tier: 'bwrap',
    forwarder,
    note: {
      'zh-TW': '練習用的 shell 在沙箱裡：看不到你的檔案，只連得到練習叢集。',
      en: 'The practice shell runs in a sandbox: it cannot see your files and reaches nothing but the practice cluster.',
    },
  };
}
