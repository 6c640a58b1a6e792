// How Istio's programs stamp their log lines. Knows no program.

/** `2026-11-24T07:00:00.123456Z`. */
export const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 23)}456Z`;
