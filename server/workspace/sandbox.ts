// Tries what can confine a shell on this machine. Knows no sessions; the walls themselves are in bwrap.ts.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onPath } from './on-path.ts';
import type { Sandbox } from './types.ts';

const run = promisify(execFile);

/** A probe that takes longer has failed, in milliseconds. */
const PROBE_TIMEOUT = 5000;

/** Starts the smallest sandbox once and enters it once, because a kernel may refuse either. */
export async function probeSandbox(
  platform = process.platform,
  path = process.env['PATH'] ?? '',
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
  const bwrap = await onPath('bwrap', path);
  const nsenter = await onPath('nsenter', path);
  if (!bwrap || !nsenter) {
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
    await run(
      bwrap,
      [
        '--unshare-user',
        '--unshare-net',
        '--unshare-pid',
        '--uid',
        '1000',
        '--gid',
        '1000',
        '--ro-bind',
        '/',
        '/',
        '--proc',
        '/proc',
        'true',
      ],
      { timeout: PROBE_TIMEOUT },
    );
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')[0];
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
