/**
 * What a dynamically linked program needs beside itself: its shared libraries and the loader, as this machine's own
 * loader resolves them.
 */
import { execFileSync } from 'node:child_process';

export interface SharedLibrary {
  /** The name by which the loader looks for it; for the loader itself, its absolute path. */
  readonly name: string;
  /** The file, or a link to it. */
  readonly file: string;
}

/** In the order in which they are loaded. Throws when one is missing. */
export function sharedLibraries(program: string): SharedLibrary[] {
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: '', LD_PRELOAD: '' };
  return parseLdd(execFileSync('ldd', [program], { encoding: 'utf8', env }));
}

/**
 * Lines such as `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)` (the loader)
 * and `linux-vdso.so.1 (0x…)`, which is the kernel's and no file.
 */
export function parseLdd(output: string): SharedLibrary[] {
  return output.split('\n').flatMap((line) => {
    const { name, file } = /^\s*(?<name>\S+) => (?<file>.+?)(?: \(0x[0-9a-f]+\))?$/.exec(line)?.groups ?? {};
    if (name !== undefined && file === 'not found')
      throw new Error(`the shared library ${name} is not on this machine`);
    if (name !== undefined && file !== undefined) return [{ name, file }];
    const loader = /^\s*(\/\S+) \(0x/.exec(line)?.[1];
    return loader === undefined ? [] : [{ name: loader, file: loader }];
  });
}
