// A server with an open lab in a process of its own, for a test that kills it: killable.ts LABS DATA prints where kubectl finds it.

import { join } from 'node:path';
import { startTestServer } from './test-server.ts';

const [labs = '', data = ''] = process.argv.slice(2);
const server = await startTestServer({ labs, data });
const answer = await server.open({ lab: 'trying' });
if (!answer.ok) throw new Error(answer.note.en);
console.log(JSON.stringify({ kubeconfig: join(data, 'run', answer.state.session, 'kubeconfig') }));
