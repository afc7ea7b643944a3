export interface Failure {
  readonly problem: string;
  readonly cure: string;
}

export function aptCommand(name: string): string;
export function installPackage(name: string): Failure | undefined;
