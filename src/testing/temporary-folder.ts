/** A folder that is gone when the test is over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class TemporaryFolder implements Disposable {
  readonly path: string;

  constructor(prefix = 'pinnace-test-') {
    this.path = mkdtempSync(path.join(tmpdir(), prefix));
  }

  at(...parts: string[]): string {
    return path.join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
