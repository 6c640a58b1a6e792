// Apache's htpasswd as far as it makes bcrypt hashes and prints them. Knows no files.

import { type CustomCommand, defineCommand } from 'just-bash';

const USAGE = `Usage:
	htpasswd [-cimBdpsDv] [-C cost] passwordfile username
	htpasswd -b[cmBdpsDv] [-C cost] passwordfile username password

	htpasswd -n[imBdps] [-C cost] username
	htpasswd -nb[mBdps] [-C cost] username password
`;
const DEFAULT_COST = 5;
const COST = { least: 4, most: 17 };

export function htpasswdCommands(): CustomCommand[] {
  return [
    defineCommand('htpasswd', async (args, ctx) => {
      const asked = read(args);
      const fail = (stderr: string, exitCode = 2) => ({ stdout: '', stderr, exitCode });
      const [user, given] = asked.words;
      if (!asked.flags.includes('n') || user === undefined) return fail(USAGE);
      if (!asked.flags.includes('B'))
        return fail('htpasswd: only bcrypt (-B) works here: the other hashes are no longer safe\n');
      if (!(asked.cost >= COST.least && asked.cost <= COST.most))
        return fail(`htpasswd: argument to -C must be a positive integer\n`);
      const password = asked.flags.includes('b')
        ? given
        : asked.flags.includes('i')
          ? Buffer.from(String(ctx.stdin ?? ''), 'latin1')
              .toString('utf8')
              .replace(/\n$/, '')
          : undefined;
      if (password === undefined) return fail(USAGE);
      const { hash } = (await import('bcryptjs')).default;
      const made = await hash(password, asked.cost);
      // The same hash; Apache writes the version as PHP does.
      return { stdout: `${user}:${made.replace(/^\$2[ab]\$/, '$2y$')}\n\n`, stderr: '', exitCode: 0 };
    }),
  ];
}

/** Single letters may stand together; the cost follows its C. */
function read(args: readonly string[]): { flags: string; cost: number; words: string[] } {
  let flags = '';
  let cost = DEFAULT_COST;
  let at = 0;
  for (; args[at]?.startsWith('-') && args[at] !== '-'; at++) {
    const letters = args[at]!.slice(1);
    const costAt = letters.indexOf('C');
    flags += costAt < 0 ? letters : letters.slice(0, costAt);
    if (costAt >= 0) cost = Number(letters.slice(costAt + 1) || args[++at]);
  }
  return { flags, cost, words: args.slice(at) };
}
