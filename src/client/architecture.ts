// Makes the architecture picture explorable: one part chosen, what it needs and what needs it marked. Knows no part by name.

for (const figure of document.querySelectorAll<HTMLElement>('[data-arch]')) {
  const parts = [...figure.querySelectorAll<HTMLElement>('[data-part]')];
  const choose = (id: string): void => {
    const chosen = parts.find(part => part.dataset.part === id);
    if (!chosen) return;
    const needs = new Set(chosen.dataset.needs?.split(' '));
    const carries = new Set(chosen.dataset.carries?.split(' '));
    for (const part of parts) {
      const own = part.dataset.part ?? '';
      part.setAttribute('aria-pressed', String(own === id));
      part.toggleAttribute('data-needed', needs.has(own));
      part.toggleAttribute('data-carried', carries.has(own));
      const detail = figure.querySelector<HTMLElement>(`#part-${CSS.escape(own)}`);
      if (detail) detail.hidden = own !== id;
    }
  };
  for (const part of parts) {
    part.setAttribute('role', 'button');
    part.addEventListener('click', event => {
      event.preventDefault();
      choose(part.dataset.part ?? '');
    });
    part.addEventListener('keydown', event => {
      if (event.key !== ' ') return;
      event.preventDefault();
      choose(part.dataset.part ?? '');
    });
  }
  figure.dataset.arch = 'live';
  const asked = location.hash.replace('#part-', '');
  choose(parts.some(part => part.dataset.part === asked) ? asked : 'istio');
}
