// Tells whether a typed command line is the command an author means, however its flags are ordered. Never runs it.

/** Words before the program that change nothing about which command it is. */
const PREFIXES = new Set([
  'sudo',
  'time',
  'watch',
  'command',
  'exec',
  'nohup',
  // Inside a loop or a condition of the shell it runs as well.
  'do',
  'then',
  'else',
  'if',
  'while',
  'until',
  '!',
]);

/**
 * A wanted command: its words in this order, others may stand between; flags may stand anywhere, as `--as=x` or `--as x`. Each word
 * may offer alternatives: `pod|pods|po`.
 */
export function commandFits(wanted: string | readonly string[], line: string): boolean {
  return fittingCommands(wanted, line).length > 0;
}

/** The simple commands of a line that are the wanted one, each as words. */
export function fittingCommands(wanted: string | readonly string[], line: string): string[][] {
  const commands = typeof wanted === 'string' ? [wanted] : wanted;
  return segments(line).filter(words => commands.some(command => fits(command.trim().split(/\s+/), words)));
}

/** The namespace a kubectl command names itself; undefined when it leaves that to its context, '*' for all of them. */
export function namespaceOf(words: readonly string[]): string | undefined {
  for (const [at, word] of words.entries()) {
    if (word === '-A' || word === '--all-namespaces') return '*';
    if (word === '-n' || word === '--namespace') return words[at + 1];
    const found = /^(?:--namespace=|-n=?)(.+)$/.exec(word)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What the line prints of its own, by `echo` or `printf`: no program said it. */
export function saidByHand(line: string): string {
  return segments(line)
    .filter(([program]) => program === 'echo' || program === 'printf')
    .map(([, ...words]) => words.join(' ').replaceAll('\\n', '\n'))
    .join('\n');
}

function fits(wanted: string[], words: string[]): boolean {
  // Asking what a command is for is not running it.
  if (words.some(word => word === '--help' || word === '-h') && !wanted.includes('--help')) return false;
  let at = 0;
  for (const [index, word] of wanted.entries()) {
    const choices = word.split('|');
    if (word.startsWith('-')) {
      if (!choices.some(choice => hasFlag(choice, words))) return false;
      continue;
    }
    const found = words.findIndex(
      (given, place) => place >= at && choices.some(choice => same(choice, given)),
    );
    // The program itself must stand first: `echo kubectl get pods` is not the command.
    if (found < 0 || (index === 0 && found !== 0)) return false;
    at = found + 1;
  }
  return true;
}

function hasFlag(flag: string, words: readonly string[]): boolean {
  const [name, value] = flag.split(/=(.*)/s);
  return words.some(
    (word, at) => word === flag || (value !== undefined && word === name && words[at + 1] === value),
  );
}

/** `pod` is also meant by `pod/web-1` and `pods.v1.`; `deployment` by `deployment.apps/web`. */
function same(choice: string, given: string): boolean {
  if (choice === given) return true;
  return given.startsWith(`${choice}/`) || (given.startsWith(`${choice}.`) && !choice.startsWith('-'));
}

/** The simple commands of a line, each as words, quotes taken off. */
export function segments(line: string): string[][] {
  const found: string[][] = [[]];
  const word = /\s+|\|\||&&|[|;&\n]|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|;&])+/gy;
  for (let part = word.exec(line); part; part = word.exec(line)) {
    const [text] = part;
    if (text.trim() === '') continue;
    if (/^[|;&]/.test(text)) found.push([]);
    else
      found
        .at(-1)
        ?.push(
          text.replace(
            /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
            (_, a, b, c) => a ?? b?.replace(/\\(.)/g, '$1') ?? c,
          ),
        );
  }
  return found.map(withoutPrefix).filter(words => words.length > 0);
}

function withoutPrefix(words: string[]): string[] {
  let start = 0;
  for (; start < words.length; start++) {
    const word = words[start] as string;
    if (word === 'timeout') {
      // Its options and its duration come before the command.
      while (words[start + 1]?.startsWith('-')) start += /^-[ks]$/.test(words[start + 1] as string) ? 2 : 1;
      start++;
    } else if (!PREFIXES.has(word) && !/^[A-Za-z_]\w*=/.test(word)) break;
  }
  if (start >= words.length) return [];
  const [program = '', ...rest] = words.slice(start);
  // The learner may have the usual alias, or type a path.
  const name = program === 'k' ? 'kubectl' : program.replace(/^.*\//, '');
  return [name, ...rest];
}
