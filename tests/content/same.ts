// Whether an output is the one a lesson shows, once what differs from run to run is put aside: ages, hashes, addresses, times.
// Knows only text.

/** The letters and digits that Kubernetes draws random names from. */
const DRAWN = '[bcdfghjklmnpqrstvwxz2456789]';

const CHANGES: [RegExp, string][] = [
  // The shell's way to its cluster: minikube's address where the sandbox may have it, else the plain one.
  [/https:\/\/127\.0\.0\.1:8443/g, 'https://192.168.49.2:8443'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UID'],
  [/\b(containerd|docker):\/\/[0-9a-f]{64}\b/g, '$1://ID'],
  [/sha256:[0-9a-f]{12,64}\b/g, 'sha256:ID'],
  [/\b[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}\b/g, 'TIME'],
  [/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, 'TIME'],
  // klog's header: severity, month and day, time, then the thread's number in a column of its own.
  [/\b([IWEF])\d{4} \d{2}:\d{2}:\d{2}\.\d{6}\b/g, '$1TIME'],
  [new RegExp(`-${DRAWN}{8,10}-${DRAWN}{5}(?![a-z0-9])`, 'g'), '-HASH'],
  [new RegExp(`-(${DRAWN}{8,10}|${DRAWN}{5})(?![a-z0-9-])`, 'g'), '-HASH'],
  [new RegExp(`pod-template-hash=${DRAWN}+`, 'g'), 'pod-template-hash=HASH'],
  // kubectl says seconds up to two minutes, then both; a whole number of minutes only stands alone at an end of the line.
  [/\b\d+[dhm]\d+[hms]\b|\b\d+(\.\d+)?m?s\b|<invalid>/g, 'AGE'],
  [/(^|\s)\d+[mhd](?=\s*$|\s{2,}(Normal|Warning))/gm, '$1AGE'],
  [/\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b|192\.168\.49\.2\b)\d{1,3}(\.\d{1,3}){3}\b/g, 'ADDRESS'],
  [/\b(\d+):3\d{4}\//g, '$1:NODEPORT/'],
  [/\bresourceVersion: "\d+"/g, 'resourceVersion: "N"'],
  [/[ \t]{2,}/g, '  '],
  [/[ \t]+$/gm, ''],
];

/** `varies`: the figures themselves are of the moment (a measurement), so none of them is compared. */
export function plain(output: string, varies = false): string {
  let text = output;
  for (const [what, instead] of CHANGES) text = text.replace(what, instead);
  return (varies ? text.replace(/\d+/g, 'N') : text).trim();
}

/** For what is watched: how often a line is said again before the next differs is chance. */
export const withoutRepeats = (text: string): string =>
  text
    .split('\n')
    .filter((line, index, lines) => line !== lines[index - 1])
    .join('\n');
