// Sets the chosen theme before the first paint. A file of its own because the content security policy forbids inline scripts.
(() => {
  try {
    const chosen = localStorage.getItem('theme');
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
  } catch {
    // Without storage the media query in the style sheet decides.
  }
  document.documentElement.classList.add('js');
})();
