// Somebody signed in at a Dex that was started after the hash had been changed: with the password of the new hash, then. Read from
// Dex' log, which knows no passwords.

import type { Script } from '../../../server/check/index.ts';
import goodHash from './good-hash.ts';

type Stamped = { metadata: { creationTimestamp?: string; managedFields?: { time?: string }[] } };

/** When the object was last written, as far as it tells. Milliseconds. */
function writtenAt({ metadata }: Stamped): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)];
  return Math.max(...times.map(time => (time ? Date.parse(time) : 0)));
}

const signedIn: Script = async context => {
  const hash = await goodHash(context);
  if (hash.state !== 'holds') return hash;
  const { list, get } = context;
  const [secret] = await list({ kind: 'Secret', namespace: 'auth', name: 'dex-passwords' });
  const all = await list({ kind: 'Pod', namespace: 'auth', selector: { app: 'dex' } });
  const pods = all.filter(({ metadata }) => !metadata.deletionTimestamp);
  const changed = secret ? writtenAt(secret as Stamped) : Number.POSITIVE_INFINITY;
  const startOf = (pod: (typeof pods)[number]) =>
    Date.parse(pod['status']?.containerStatuses?.[0]?.state?.running?.startedAt ?? '');
  const fresh = pods.filter(pod => startOf(pod) >= changed);
  if (fresh.length < pods.length || fresh.length === 0)
    return {
      state: 'not-yet',
      said: {
        'zh-TW': '還有 Dex 的 Pod 是在換雜湊之前啟動的，或還沒起來：它認的是舊密碼。',
        en: 'A pod of Dex was started before the hash was changed, or is not up yet: it takes the old password.',
      },
    };
  for (const { metadata } of fresh) {
    const log = await get(`/api/v1/namespaces/auth/pods/${metadata.name}/log?container=dex`);
    if (/msg="login successful"/.test(String(log))) return { state: 'holds' };
  }
  return {
    state: 'not-yet',
    said: {
      'zh-TW': 'Dex 已經換上新的雜湊，還沒有人用新密碼登入過。',
      en: 'Dex has the new hash, and nobody has signed in with the new password yet.',
    },
  };
};

export default signedIn;
