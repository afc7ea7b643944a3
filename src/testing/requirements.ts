/**
 * What a test needs of the machine beside Node. `test('…', needs('skopeo'), …)` leaves the test out, saying why, where
 * the program is missing; a test is never passed for want of its means. `npm test` installs what `missingPackages` names.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

interface Source {
  /** What Debian and Ubuntu call the packages that it takes. */
  readonly packages: readonly string[];
  /** Packages that it does not work without on newer distributions, and that older ones do not have. */
  readonly companions?: readonly string[];
  /** The first version that will do, where that matters, and of what. */
  readonly atLeast?: { readonly program: string; readonly version: string };
}

const PROGRAMS = {
  bash: { packages: ['bash'] },
  buildah: { packages: ['buildah'], companions: ['netavark'] },
  curl: { packages: ['curl'] },
  'docker-registry': { packages: ['docker-registry'] },
  ip: { packages: ['iproute2'] },
  kubectl: { packages: ['kubernetes-client'] },
  // What it prints was recorded with 1.32, and Debian 12 has 1.20.
  'kubectl 1.32 or later': {
    packages: ['kubernetes-client'],
    atLeast: { program: 'kubectl', version: '1.32' },
  },
  ldd: { packages: ['libc-bin'] },
  mount: { packages: ['mount'] },
  nsenter: { packages: ['util-linux'] },
  openssl: { packages: ['openssl'] },
  ps: { packages: ['procps'] },
  runc: { packages: ['runc'] },
  setpriv: { packages: ['util-linux'] },
  skopeo: { packages: ['skopeo'] },
  tar: { packages: ['tar'] },
  unshare: { packages: ['util-linux'] },
} as const satisfies Readonly<Record<string, Source>>;

/** In every POSIX system: taken for granted. */
export const ALWAYS_THERE: readonly string[] = ['cat', 'mkfifo', 'sh', 'sleep', 'true'];

type Program = keyof typeof PROGRAMS;

/** `root`: the effective user. `compiler`: something that makes static programs of C. */
export type Requirement = Program | 'root' | 'compiler';

export interface TestOptions {
  skip?: string;
}

/** A requirement that packages would meet. */
export interface MissingPackages extends Source {
  readonly requirement: Requirement;
}

const COMPILERS = ['gcc', 'musl-gcc', 'tcc', 'cc'];
const COMPILER_PACKAGES = ['gcc', 'libc6-dev'];

/** Options for `test`: nothing, or a skip that names everything that is missing. */
export function needs(...requirements: readonly Requirement[]): TestOptions {
  const missing = requirements.map(whatIsMissing).filter((text) => text !== undefined);
  return missing.length === 0 ? {} : { skip: missing.join('; ') };
}

/** Undefined when it is there, else why it is not, in words. */
function whatIsMissing(requirement: Requirement): string | undefined {
  if (requirement === 'root') return process.getuid?.() === 0 ? undefined : 'not run as root';
  if (requirement === 'compiler') {
    return compiler() === undefined ? 'no C compiler that makes static programs' : undefined;
  }
  const { atLeast }: Source = PROGRAMS[requirement];
  const file = findProgram(atLeast?.program ?? requirement);
  const isThere = file !== undefined && (atLeast === undefined || isAtLeast(kubectlVersion(file), atLeast.version));
  return isThere ? undefined : `${requirement} is not installed`;
}

/** Whether tests can ask for it. */
export function isDeclared(program: string): boolean {
  return program in PROGRAMS;
}

/** What of all that tests may need is missing here and comes in packages. */
export function missingPackages(): MissingPackages[] {
  const programs = Object.entries<Source>(PROGRAMS) as [Program, Source][];
  const all: MissingPackages[] = programs.map(([requirement, source]) => ({ requirement, ...source }));
  all.push({ requirement: 'compiler', packages: COMPILER_PACKAGES });
  return all.filter(({ requirement }) => whatIsMissing(requirement) !== undefined);
}

/** Whether `1.32.4`, or the version of a Debian package, is not before `1.32`. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = numbers(version);
  const [wantedMajor = 0, wantedMinor = 0] = numbers(wanted);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function numbers(version: string): number[] {
  const upstream = version.replace(/^v|^\d+:/, '');
  return (/^(\d+)\.(\d+)/.exec(upstream) ?? []).slice(1).map(Number);
}

let seenKubectl: { readonly file: string; readonly version: string } | undefined;

/** `1.32.4`; asked once per process, since every test file asks. */
function kubectlVersion(file: string): string {
  if (seenKubectl?.file !== file) {
    const said = execFileSync(file, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
    seenKubectl = { file, version: /"gitVersion": "v([\d.]+)/.exec(said)?.[1] ?? 'unknown' };
  }
  return seenKubectl.version;
}

/** The first C compiler that is there, with a C library to link statically. */
export function compiler(): string | undefined {
  return COMPILERS.map(findProgram).find((found) => found !== undefined && hasStaticLibrary(found));
}

/** gcc comes without the library on Debian; others bring their own, or end with an error that says so. */
function hasStaticLibrary(file: string): boolean {
  if (path.basename(file) !== 'gcc') return true;
  // It answers with the bare name of a file that it does not find.
  return path.isAbsolute(execFileSync(file, ['-print-file-name=libc.a'], { encoding: 'utf8' }).trim());
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
