// Sets of field paths as server-side apply owns them, and their FieldsV1 text. A path is a row of elements `f:name`,
// `k:{...}`, `v:...`; knows no schemas and no objects.

export type FieldsV1 = { [element: string]: FieldsV1 };

/** A node of the tree: whether the path that ends here is in the set, and what is below. */
export interface FieldSet {
  own: boolean;
  children: Map<string, FieldSet>;
}

export const emptySet = (): FieldSet => ({ own: false, children: new Map() });

export const isEmpty = (set: FieldSet): boolean => !set.own && set.children.size === 0;

export function insert(set: FieldSet, path: readonly string[]): void {
  let node = set;
  for (const element of path) {
    let next = node.children.get(element);
    if (!next) {
      next = emptySet();
      node.children.set(element, next);
    }
    node = next;
  }
  node.own = true;
}

/*
 * A set is never changed once it is built, so results share what they can with what they were made of.
 */

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const other = children.get(element);
    children.set(element, other ? union(other, child) : child);
  }
  return { own: a.own || b.own, children };
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const result: FieldSet = { own: a.own && b.own, children: new Map() };
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const both = other && intersection(child, other);
    if (both && !isEmpty(both)) result.children.set(element, both);
  }
  return result;
}

/** What is in `a` and not in `b`; `a` itself when they have nothing in common. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  let children: Map<string, FieldSet> | undefined;
  for (const [element, child] of b.children) {
    const other = a.children.get(element);
    const left = other && difference(other, child);
    if (left === other || !left) continue;
    children ??= new Map(a.children);
    if (isEmpty(left)) children.delete(element);
    else children.set(element, left);
  }
  if (!children && !(a.own && b.own)) return a;
  return { own: a.own && !b.own, children: children ?? a.children };
}

/** Every named field on the way to a member becomes a member (upstream EnsureNamedFieldsAreMembers). */
export function withNamedFields(set: FieldSet): FieldSet {
  const result: FieldSet = { own: set.own, children: new Map() };
  for (const [element, child] of set.children) {
    const inner = withNamedFields(child);
    if (element.startsWith('f:')) inner.own = true;
    result.children.set(element, inner);
  }
  return result;
}

/** The member paths, in order. */
export function paths(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const found: string[][] = set.own && prefix.length > 0 ? [[...prefix]] : [];
  for (const element of [...set.children.keys()].sort(compareElements))
    found.push(...paths(set.children.get(element) as FieldSet, [...prefix, element]));
  return found;
}

const compareElements = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function toFieldsV1(set: FieldSet): FieldsV1 {
  const result: FieldsV1 = {};
  for (const element of [...set.children.keys()].sort(compareElements)) {
    const child = set.children.get(element) as FieldSet;
    const below = toFieldsV1(child);
    result[element] = child.own && child.children.size > 0 ? { '.': {}, ...below } : below;
  }
  return result;
}

/** Throws an Error with the element that cannot be read. */
export function fromFieldsV1(fields: unknown): FieldSet {
  const result = emptySet();
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return result;
  for (const [element, below] of Object.entries(fields)) {
    if (element === '.') {
      result.own = true;
      continue;
    }
    if (!/^[fkvi]:/.test(element)) throw new Error(`missing type prefix: ${JSON.stringify(element)}`);
    const child = fromFieldsV1(below);
    if (child.children.size === 0) child.own = true;
    result.children.set(element, child);
  }
  return result;
}

/** `.spec.containers[name="web"].image`: how conflicts name a path. */
export function formatPath(path: readonly string[]): string {
  return path
    .map(element => {
      const body = element.slice(2);
      if (element.startsWith('f:')) return `.${body}`;
      if (element.startsWith('v:')) return `[=${body}]`;
      if (element.startsWith('i:')) return `[${body}]`;
      const key = JSON.parse(body) as Record<string, unknown>;
      return `[${Object.keys(key)
        .map(name => `${name}=${JSON.stringify(key[name])}`)
        .join(',')}]`;
    })
    .join('');
}
