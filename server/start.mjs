// The door behind every npm script: works on the Node that is there, fetches what is missing, then hands over.
// Nothing is imported before the version is known, so that an old Node answers with a sentence and not with a stack trace.

var major = parseInt(process.versions.node, 10);

if (major < 20) {
  console.error(
    'Kubeflow by Doing needs Node 20 or newer; this is ' +
      process.version +
      '. Install a newer one (https://nodejs.org) and run the command again.',
  );
  process.exit(1);
} else {
  import('./start/start.mjs').then(module => module.start(process.argv[2], process.argv.slice(3)));
}
