export function reasonIn(said: string): string;
