export interface Failure {
  readonly problem: string;
  readonly cure: string;
}

export function aptCommand(...names: string[]): string;
export function whyForbidden(): string | undefined;
export function whyNotInstall(): string | undefined;
export function installPackages(...names: string[]): Failure | undefined;
export function candidates(...names: string[]): Map<string, string>;
