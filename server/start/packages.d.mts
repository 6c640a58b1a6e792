type Packages = Record<string, { version?: string; dev?: boolean; optional?: boolean; devOptional?: boolean }>;
export function missing(wanted: Packages, present: Packages, dev: boolean): string[];
