/**
 * What a test needs of the machine beside Node. `test('…', needs('skopeo'), …)` leaves the test out, saying why, where
 * the program is missing; a test is never passed for want of its means.
 */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Programs by name, and where each comes from on Debian. */
const PACKAGES = {
  buildah: 'buildah',
  crun: 'crun',
  'docker-registry': 'docker-registry',
  gcc: 'gcc',
  getfattr: 'attr',
  kubectl: 'kubernetes-client',
  openssl: 'openssl',
  runc: 'runc',
  setfattr: 'attr',
  skopeo: 'skopeo',
  tar: 'tar',
  zstd: 'zstd',
} as const;

type Program = keyof typeof PACKAGES;

/** `root`: the effective user. `compiler`: something that makes static programs of C. */
export type Requirement = Program | 'root' | 'compiler';

export interface TestOptions {
  skip?: string;
}

const COMPILERS = ['gcc', 'musl-gcc', 'tcc', 'cc'];

/** Options for `test`: nothing, or a skip that names everything that is missing. */
export function needs(...requirements: readonly Requirement[]): TestOptions {
  const missing = requirements.map(whatIsMissing).filter((text) => text !== undefined);
  return missing.length === 0 ? {} : { skip: missing.join('; ') };
}

/** The options of several requirements together with others of the test. */
export function whatIsMissing(requirement: Requirement): string | undefined {
  if (requirement === 'root') return process.getuid?.() === 0 ? undefined : 'not run as root';
  if (requirement === 'compiler') {
    return compiler() === undefined ? `no C compiler (one of ${COMPILERS.join(', ')}; apt-get install gcc)` : undefined;
  }
  if (findProgram(requirement) !== undefined) return undefined;
  return `${requirement} is not installed (apt-get install ${PACKAGES[requirement]})`;
}

/** The first C compiler that is there. */
export function compiler(): string | undefined {
  return COMPILERS.map(findProgram).find((found) => found !== undefined);
}

/** The full path of a program, also where only administrators look for it. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
