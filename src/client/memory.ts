// What the browser remembers between pages: the open lab, finished labs, sizes, the place in the text. Storage may be
// forbidden; then nothing is remembered and nothing breaks.

import type { ClusterKind } from '#common/protocol/session.ts';

export interface OpenLab {
  lab: string;
  cluster: { kind: ClusterKind; profile?: string };
  consent?: boolean;
}

function read<T>(storage: () => Storage, key: string): T | undefined {
  try {
    const text = storage().getItem(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

function write(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Private modes and full disks: forgetting is fine.
  }
}

const local = () => localStorage;
const tab = () => sessionStorage;
const openHere = () => read<Record<string, OpenLab>>(tab, 'open-labs') ?? {};

export const memory = {
  /** How this lab was opened: in this tab, which may have others beside it, or as the last one in any. */
  openLab(lab: string): OpenLab | undefined {
    const last = read<OpenLab>(local, 'open-lab');
    return openHere()[lab] ?? (last?.lab === lab ? last : undefined);
  },
  rememberOpenLab(open: OpenLab) {
    write(tab, 'open-labs', { ...openHere(), [open.lab]: open });
    write(local, 'open-lab', open);
  },
  forgetOpenLab(lab: string) {
    const { [lab]: _, ...others } = openHere();
    write(tab, 'open-labs', others);
    if (read<OpenLab>(local, 'open-lab')?.lab === lab) write(local, 'open-lab', undefined);
  },

  finishedLabs: () => read<string[]>(local, 'finished-labs') ?? [],
  rememberFinished(lab: string, finished: boolean) {
    const others = memory.finishedLabs().filter(one => one !== lab);
    write(local, 'finished-labs', finished ? [...others, lab] : others);
  },

  /** Lessons that were opened here, the last one at the end. */
  lessons: () => read<string[]>(local, 'lessons') ?? [],
  rememberLesson: (lesson: string) =>
    write(local, 'lessons', [...memory.lessons().filter(one => one !== lesson), lesson]),

  /** The lab that a click on the previous page asked to start; asked once. A click, never an address, can start one. */
  takeStart(): string | undefined {
    const lab = read<string>(tab, 'start-lab');
    write(tab, 'start-lab', undefined);
    return lab;
  },
  askStart: (lab: string) => write(tab, 'start-lab', lab),

  takePlace(): { section: string; offset: number } | undefined {
    const place = read<{ section: string; offset: number }>(tab, 'place');
    write(tab, 'place', undefined);
    return place;
  },
  keepPlace: (place: { section: string; offset: number }) => write(tab, 'place', place),

  share: (name: string) => read<number>(local, `share-${name}`),
  rememberShare: (name: string, share: number) => write(local, `share-${name}`, share),

  screenReader: () => read<boolean>(local, 'screen-reader') ?? false,
  rememberScreenReader: (on: boolean) => write(local, 'screen-reader', on),
};
