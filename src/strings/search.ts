// Words of the search box, in both languages with the same keys. Fetched with it. Knows no page.

const zhTW = {
  title: '搜尋課程',
  placeholder: '想找什麼？',
  close: '關閉',
  hint: '中文、英文、指令、錯誤訊息都可以。↑ ↓ 選擇，Enter 前往。',
  none: '找不到「{query}」。換個詞，或是少打幾個字試試。',
  found: '{n} 頁',
  foundMore: '{n} 頁，列出前 {shown} 頁',
  broken: '搜尋用的索引讀不到。開發伺服器沒有索引，請先建置網站。',
  errors: '手上有錯誤訊息？貼到錯誤訊息索引',
};

const en: typeof zhTW = {
  title: 'Search the course',
  placeholder: 'What are you looking for?',
  close: 'Close',
  hint: 'English, Chinese, commands and error messages all work. ↑ ↓ to choose, Enter to go.',
  none: 'Nothing about “{query}”. Try another word, or fewer of them.',
  found: '{n} pages',
  foundMore: '{n} pages, the first {shown} are shown',
  broken: 'The search index cannot be read. The dev server has none; build the site first.',
  errors: 'Holding an error message? Paste it into the error index',
};

export const searchStrings = { 'zh-TW': zhTW, en } as const;
