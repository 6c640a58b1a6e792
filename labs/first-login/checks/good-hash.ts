// The Secret holds a bcrypt hash that Dex takes, and not the one that everybody knows. Which password it stands for nobody can read.

import type { Script } from '../../../server/check/index.ts';

/** As the distribution ships it. */
const SHIPPED = '$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72';
/** Costs Dex compares with. */
const COST = { least: 10, most: 16 };

const goodHash: Script = async ({ list }) => {
  const [secret] = await list({ kind: 'Secret', namespace: 'auth', name: 'dex-passwords' });
  const coded = secret?.['data']?.DEX_USER_PASSWORD as string | undefined;
  if (coded === undefined)
    return {
      state: 'wrong',
      said: {
        'zh-TW': 'Secret `dex-passwords` 裡沒有 `DEX_USER_PASSWORD`。',
        en: 'The Secret `dex-passwords` has no `DEX_USER_PASSWORD`.',
      },
    };
  const hash = atob(coded);
  if (hash === SHIPPED)
    return {
      state: 'not-yet',
      said: { 'zh-TW': '還是預設密碼的雜湊。', en: 'It is still the hash of the default password.' },
    };
  const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1]);
  if (Number.isNaN(cost))
    return {
      state: 'wrong',
      said: {
        'zh-TW':
          '放進去的不是 bcrypt 雜湊。它有 60 個字元，開頭是 `$2y$`，不含使用者名稱和冒號，前後也沒有空白或換行。',
        en: 'What is there is no bcrypt hash. One has 60 characters and begins with `$2y$`, without user name and colon, and without a space or newline around it.',
      },
    };
  if (cost < COST.least || cost > COST.most)
    return {
      state: 'wrong',
      said: {
        'zh-TW': `這個雜湊的成本是 ${cost}，Dex 只接受 ${COST.least} 到 ${COST.most}。`,
        en: `This hash has a cost of ${cost}; Dex takes ${COST.least} to ${COST.most}.`,
      },
    };
  return { state: 'holds' };
};

export default goodHash;
