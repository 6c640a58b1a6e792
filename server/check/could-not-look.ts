// Bad news that is ours: the checker could not look. Never shown as the learner's mistake.

import type { Text } from '#common/protocol/index.ts';

export class CouldNotLook extends Error {
  readonly text: Text;
  constructor(text: Text, cause?: unknown) {
    super(text.en, { cause });
    this.name = 'CouldNotLook';
    this.text = text;
  }
}

/** Any thrown value as the sentence the learner reads. */
export function whyNot(error: unknown): Text {
  if (error instanceof CouldNotLook) return error.text;
  const message = error instanceof Error ? error.message : String(error);
  return {
    'zh-TW': `檢查本身出了問題，不是你的錯：${message}`,
    en: `The check itself failed, this is not your doing: ${message}`,
  };
}
