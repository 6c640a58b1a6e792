// Loaded into every process of the tests: what it says is written before it goes on. A file of tests that has ended is forced
// to exit, and what is then still on its way to the runner, results among it, would be lost.

for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
