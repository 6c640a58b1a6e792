// Keeps a list of elements like a list of things: what did not change keeps its element, its focus and a click in progress.

export interface Thing {
  key: string;
  /** Everything that shows; the element is drawn anew when it differs. */
  shape: unknown;
  draw(): HTMLElement;
}

const shapes = new WeakMap<Element, string>();

export function keep(list: HTMLElement, things: readonly Thing[]): void {
  const old = new Map([...list.children].map(child => [(child as HTMLElement).dataset.key ?? '', child]));
  let at: Element | null = list.firstElementChild;
  for (const thing of things) {
    const shape = JSON.stringify(thing.shape);
    let element = old.get(thing.key) as HTMLElement | undefined;
    old.delete(thing.key);
    if (!element || shapes.get(element) !== shape) {
      const fresh = thing.draw();
      fresh.dataset.key = thing.key;
      shapes.set(fresh, shape);
      if (element) {
        const focused = element.contains(document.activeElement)
          ? (document.activeElement as HTMLElement).dataset.act
          : undefined;
        if (at === element) at = fresh;
        element.replaceWith(fresh);
        if (focused)
          fresh
            .querySelector<HTMLElement>(`[data-act="${CSS.escape(focused)}"]`)
            ?.focus({ preventScroll: true });
      }
      element = fresh;
    }
    if (element === at) at = element.nextElementSibling;
    else list.insertBefore(element, at);
  }
  for (const gone of old.values()) gone.remove();
}
