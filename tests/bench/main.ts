// Measures what a learner waits for, and prints medians beside the budget each has. `npm run bench -- --runs 9 NAME...`

import { boot } from './boot.ts';
import { engine } from './engine.ts';
import { flood } from './flood.ts';
import { green } from './green.ts';
import { isolation } from './isolation.ts';
import { memory } from './memory.ts';
import { prompt } from './prompt.ts';
import { reset } from './reset.ts';
import { seed } from './seed.ts';
import { workload } from './workload.ts';

/** One line of the table. */
export interface Measured {
  name: string;
  unit: 'ms' | 'MB' | '%' | '/s';
  values: number[];
  /** What it should stay under, in the same unit; a rate (/s) should stay above it. */
  budget: number;
}

/** Each returns its lines; everything it starts it also ends. */
export type Measure = (runs: number) => Promise<Measured[]>;

const MEASURES: Record<string, Measure> = {
  boot,
  prompt,
  green,
  reset,
  flood,
  memory,
  engine,
  workload,
  seed,
  isolation,
};

const args = process.argv.slice(2);
const runsAt = args.indexOf('--runs');
const runs = runsAt >= 0 ? Number(args.splice(runsAt, 2)[1]) : 5;
const names = args.length > 0 ? args : Object.keys(MEASURES);
const unknown = names.filter(name => !(name in MEASURES));
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  console.error(`Usage: npm run bench -- [--runs NUMBER] [${Object.keys(MEASURES).join('|')}]...`);
  process.exit(1);
}

const lines: Measured[] = [];
for (const name of names) lines.push(...(await MEASURES[name]!(runs)));

console.log(row('', 'median', 'best', 'worst', 'budget', 'of budget'));
for (const { name, unit, values, budget } of lines) {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)]!;
  const show = (value: number) =>
    `${unit === 'ms' && value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  console.log(
    row(
      name,
      show(median),
      show(sorted[0]!),
      show(sorted.at(-1)!),
      show(budget),
      `${Math.round(100 * (unit === '/s' ? budget / median : median / budget))} %`,
    ),
  );
}
console.log(`\n${runs} runs each, on ${process.platform} ${process.arch}, Node ${process.version}`);
process.exit(0);

function row(name: string, ...cells: string[]): string {
  return name.padEnd(52) + cells.map(cell => cell.padStart(11)).join('');
}
